/**
 * What a program gives to `connect` → the engine's complete options. The one place where defaults of the library stand; those
 * of the command line are in terminal/.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { P2pError } from '../protocol/errors.js';
import { peerLimits, terminalLimits } from '../protocol/limits.js';
import { canonicalUserName, isUserName } from '../protocol/names.js';
import { visibleLine } from '../protocol/text.js';
import type { AcceptPolicy, ClientOptions, SessionPolicy } from './options.js';

/** For `connect`. Without `new` the account must exist. */
export interface ConnectOptions {
  /** Name or address of the server. */
  readonly host: string;
  /** Default 9090. */
  readonly port?: number;
  readonly user: string;
  readonly password: string;
  /** Makes the account. */
  readonly new?: boolean;
  /** Folder of pins, received and unfinished files; default `~/p2p-chat`, that of the terminal program. Clients that run side by side each need their own. */
  readonly home?: string;
  /** What happens to offered files; default `ask`: they wait for `acceptFile` or `rejectFile`. */
  readonly accept?: AcceptPolicy;
  /** With `accept: 'all'`: whose files are taken; those of others wait as with `ask`. Default: everybody's. */
  readonly acceptFrom?: readonly string[];
  /** With `accept: 'all'`: larger offers wait as with `ask`. Bytes; default: no limit. */
  readonly maxFile?: number;
  /** Folder for finished files; default `received` in `home`. */
  readonly received?: string;
  /** Bytes a second for all sending, and for all receiving; default: no limit. */
  readonly limitRate?: number;
  /** Whether others may open a session unasked; default `auto`. With `ask` they wait for `answerSession`. */
  readonly sessions?: SessionPolicy;
  /** Port for peers; default: a free one. */
  readonly listenPort?: number;
  /** The only fingerprint of the server to accept, `SHA256:…`; default: that of the first contact. */
  readonly pin?: string;
  /** Gives up connecting, or ends the client, when it aborts. */
  readonly signal?: AbortSignal;
}

const DEFAULT_PORT = 9090;

const text = v.pipe(v.string(), v.minLength(1), v.check((value) => !value.includes('\0')));
const wholeNumber = (from: number, to: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(to));
const userName = v.pipe(v.string(), v.check(isUserName));

/** Each option with what it takes, for the error text. */
const OPTIONS: { readonly [Key in keyof Required<ConnectOptions>]: readonly [schema: v.GenericSchema, takes: string] } = {
  host: [v.pipe(v.string(), v.regex(/^[^\s\p{C}/@]{1,253}$/u)), 'the name or address of the server'],
  port: [v.optional(wholeNumber(1, 65_535)), 'a number from 1 to 65535'],
  user: [userName, '1 to 32 of a-z A-Z 0-9 . _ -, the first a letter or digit'],
  password: [v.pipe(v.string(), v.minLength(1)), 'a string that is not empty'],
  new: [v.optional(v.boolean()), 'true or false'],
  home: [v.optional(text), 'the path of a folder'],
  accept: [v.optional(v.picklist(['ask', 'all', 'none'])), "'ask', 'all' or 'none'"],
  acceptFrom: [v.optional(v.array(userName)), 'an array of user names'],
  maxFile: [v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)), 'a number of bytes'],
  // `-` is stdout to the engine, and a library leaves that alone.
  received: [v.optional(v.pipe(text, v.notValue('-'))), 'the path of a folder'],
  limitRate: [v.optional(wholeNumber(terminalLimits.leastRate, Number.MAX_SAFE_INTEGER)), `bytes a second, at least ${terminalLimits.leastRate}`],
  sessions: [v.optional(v.picklist(['auto', 'ask'])), "'auto' or 'ask'"],
  listenPort: [v.optional(v.union([v.literal(0), wholeNumber(peerLimits.lowestPort, 65_535)])), `0 for a free port, or a number from ${peerLimits.lowestPort} to 65535`],
  pin: [v.optional(v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/u))), 'a fingerprint as the server prints it, SHA256:…'],
  signal: [v.optional(v.instance(AbortSignal)), 'an AbortSignal'],
};

/** @throws P2pError `bad-argument`, naming the option and what it takes. */
export function engineOptions(given: ConnectOptions, version: string): ClientOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(OPTIONS, name)) throw badOption(`connect has no option "${visibleLine(name.slice(0, 40))}"; it has ${Object.keys(OPTIONS).join(', ')}.`);
  }
  for (const [name, [schema, takes]] of Object.entries(OPTIONS)) {
    if (!v.is(schema, given[name as keyof ConnectOptions])) throw badOption(`connect: ${name} takes ${takes}.`);
  }
  if (given.accept !== 'all' && (given.acceptFrom ?? given.maxFile) !== undefined) {
    throw badOption("connect: acceptFrom and maxFile narrow what is taken without asking, so they need accept: 'all'.");
  }
  const home = resolve(given.home ?? join(homedir(), 'p2p-chat'));
  return Object.freeze({
    host: given.host.replace(/^\[(?<address>.*)\]$/u, '$<address>'),
    port: given.port ?? DEFAULT_PORT,
    home,
    accept: given.accept ?? 'ask',
    acceptFrom: given.acceptFrom?.map(canonicalUserName),
    maxFile: given.maxFile,
    acceptOtherwise: 'ask',
    received: resolve(given.received ?? join(home, 'received')),
    limitRate: given.limitRate,
    sessions: given.sessions ?? 'auto',
    listenPort: given.listenPort ?? 0,
    pin: given.pin?.replace(/=$/u, ''),
    agent: `p2p-chat/${version}`,
  });
}

function badOption(message: string): P2pError {
  return new P2pError('bad-argument', message);
}
