/**
 * What was given on the command line and in the environment → one complete, frozen object. Pure: nothing is read or opened.
 *
 * Defaults stand in option-table.ts. Where a value came from is the business of bin/, which says how messages call it.
 */
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import type { ClientOptions } from '../client/options.js';
import { P2pError } from '../protocol/errors.js';
import { peerLimits } from '../protocol/limits.js';
import { canonicalUserName, isUserName } from '../protocol/names.js';
import { visibleLine } from '../protocol/text.js';
import { flagOf } from '../protocol/option-shape.js';
import { CLIENT_OPTIONS } from './option-table.js';
import type { ClientOptionName } from './option-table.js';
import { parseRate, parseSize, SIZE_FORM } from './quantities.js';

/** As arguments, environment or a file have it: nothing is checked. */
export type RawOptions = { readonly [K in ClientOptionName]?: unknown };

/** What messages call an option that was not given as a flag. */
export type OptionNames = { readonly [K in ClientOptionName]?: string };

/** Facts of the machine that options depend on. */
export interface OptionSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly workingDirectory: string;
  readonly stdinIsTTY: boolean;
  readonly stdoutIsTTY: boolean;
  /** Of this program. */
  readonly version: string;
}

export interface TerminalOptions {
  readonly engine: ClientOptions;
  readonly user: string | undefined;
  /** A new account is to be made; undefined asks. */
  readonly newUser: boolean | undefined;
  readonly passwordFile: string | undefined;
  /** Absolute path of the folder for plain-text logs; undefined: none are kept. */
  readonly logChat: string | undefined;
  /** From P2P_PASSWORD; a file goes before it. */
  readonly password: string | undefined;
  readonly face: 'terminal' | 'script' | 'json';
  readonly stdinIsTTY: boolean;
  /** Whether start-up questions may be asked. */
  readonly mayAsk: boolean;
  readonly exec: readonly string[];
  readonly stay: boolean;
  /** One received file goes to stdout; all that the program says goes to stderr. */
  readonly oneToStdout: boolean;
  /** In front of messages and notices at a terminal. */
  readonly timestamps: boolean;
  /** How a person at a terminal is called: by the desktop and the bell, by the bell, or not at all. */
  readonly attention: 'notify' | 'bell' | 'off';
}

/** Host names have at most 253 characters (RFC 1035 section 2.3.4, without the root). */
const HOST_CHARS = 253;

const portNumber = (lowest: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,5}$/u), v.transform(Number), v.minValue(lowest), v.maxValue(65_535));
const quantity = (parse: (written: string) => number | undefined) =>
  v.optional(v.pipe(v.string(), v.transform(parse), v.number()));
const userNames = v.pipe(
  v.string(),
  v.transform((list) => list.split(',').map((name) => name.trim())),
  v.array(v.pipe(v.string(), v.check(isUserName), v.transform(canonicalUserName))),
);
const text = v.pipe(v.string(), v.minLength(1), v.check((value) => !value.includes('\0')));

/**
 * The folder of this client, absolute: the configuration file is looked for in it before anything else is known.
 *
 * @throws P2pError `usage`
 */
export function homeFolder(raw: RawOptions, { env, homeDirectory, workingDirectory }: Pick<OptionSurroundings, 'env' | 'homeDirectory' | 'workingDirectory'>): string {
  const given = raw.home ?? (env['P2P_HOME'] === '' ? undefined : env['P2P_HOME']) ?? join(homeDirectory, 'p2p-chat');
  return resolve(workingDirectory, check(raw.home === undefined ? 'P2P_HOME' : '--home', given, text, 'a folder'));
}

/**
 * @throws P2pError `usage`, naming the option and what it takes.
 */
export function parseOptions(raw: RawOptions, surroundings: OptionSurroundings, names: OptionNames = {}): TerminalOptions {
  const { env, workingDirectory, stdinIsTTY, stdoutIsTTY, version } = surroundings;
  const called = (key: ClientOptionName): string => names[key] ?? flagOf(key, CLIENT_OPTIONS[key]);
  if (raw.host === undefined) throw usage('Which server? p2p-client HOST PORT. Later, p2p-client alone takes the last one again.');
  const host = check(called('host'), raw.host, v.pipe(v.string(), v.regex(/^[^\s\p{C}/@]+$/u), v.maxLength(HOST_CHARS)), 'the name or address of the server, for example localhost');
  const home = homeFolder(raw, surroundings);
  const pin = check(called('pin'), raw.pin, v.optional(v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/u))), 'a fingerprint as the server prints it, SHA256:…');
  const exec = check(called('exec'), raw.exec ?? [], v.array(text), 'a command');
  const json = check(called('json'), raw.json ?? false, v.boolean(), 'no value');
  const accept = check(called('accept'), raw.accept ?? CLIENT_OPTIONS.accept.default, v.picklist(CLIENT_OPTIONS.accept.choices), 'ask, all or none');
  const acceptFrom = check(called('acceptFrom'), raw.acceptFrom, v.optional(userNames), 'user names with commas between, for example alice,bob');
  const maxFile = check(called('maxFile'), raw.maxFile, quantity(parseSize), `a size, ${SIZE_FORM}`);
  const received = check(called('received'), raw.received, v.optional(text), 'a folder, or - for stdout');
  const logChat = check(called('logChat'), raw.logChat, v.optional(text), 'a folder');
  const oneToStdout = received === '-';
  if (accept !== 'all') {
    const narrowed = acceptFrom !== undefined ? called('acceptFrom') : maxFile !== undefined ? called('maxFile') : undefined;
    if (narrowed !== undefined) throw usage(`${narrowed} narrows what is taken without asking, so it needs --accept all.`);
    if (oneToStdout) throw usage('--received - takes one file without asking, so it needs --accept all; --accept-from and --max-file narrow that.');
  }
  if (oneToStdout && json) throw usage('--received - needs stdout for the file, and so does --json for its lines. Give one of them.');
  if (oneToStdout && stdoutIsTTY) throw usage('--received - writes the file to stdout, and that is a terminal. Add > FILE or | PROGRAM, or give --received FOLDER.');
  const face = json ? 'json' : exec.length > 0 || !stdinIsTTY || oneToStdout ? 'script' : 'terminal';
  return Object.freeze({
    engine: Object.freeze({
      host: host.replace(/^\[(?<address>.*)\]$/u, '$<address>'),
      port: check(called('port'), raw.port ?? CLIENT_OPTIONS.port.default, portNumber(1), 'a number from 1 to 65535'),
      home,
      accept,
      acceptFrom: acceptFrom === undefined ? undefined : Object.freeze(acceptFrom),
      maxFile,
      acceptOtherwise: face === 'terminal' ? 'ask' : 'none',
      received: oneToStdout ? '-' : resolve(workingDirectory, received ?? join(home, 'received')),
      limitRate: check(called('limitRate'), raw.limitRate, quantity(parseRate), `bytes a second, ${SIZE_FORM}, at least 1K`),
      sessions: check(called('sessions'), raw.sessions ?? CLIENT_OPTIONS.sessions.default, v.picklist(CLIENT_OPTIONS.sessions.choices), 'auto or ask'),
      listenPort: check(called('listenPort'), raw.listenPort ?? CLIENT_OPTIONS.listenPort.default, v.union([v.pipe(v.literal('0'), v.transform(Number)), portNumber(peerLimits.lowestPort)]), '0 for a free port, or a number from 1024 to 65535'),
      pin: pin?.replace(/=$/u, ''),
      agent: `p2p-chat/${version}`,
    }),
    user: check(called('user'), raw.user, v.optional(v.pipe(v.string(), v.check(isUserName))), '1 to 32 of a-z A-Z 0-9 . _ -, the first a letter or digit'),
    newUser: check(called('new'), raw.new, v.optional(v.boolean()), 'no value') === true ? true : undefined,
    passwordFile: check(called('passwordFile'), raw.passwordFile, v.optional(text), 'a file'),
    logChat: logChat === undefined ? undefined : resolve(workingDirectory, logChat),
    password: env['P2P_PASSWORD'] === '' ? undefined : env['P2P_PASSWORD'],
    face,
    stdinIsTTY,
    mayAsk: stdinIsTTY && !json,
    exec: Object.freeze([...exec]),
    stay: check(called('stay'), raw.stay ?? false, v.boolean(), 'no value'),
    oneToStdout,
    timestamps: check(called('timestamps'), raw.timestamps ?? CLIENT_OPTIONS.timestamps.default, v.picklist(CLIENT_OPTIONS.timestamps.choices), 'on or off') === 'on',
    attention: check(called('attention'), raw.attention ?? CLIENT_OPTIONS.attention.default, v.picklist(CLIENT_OPTIONS.attention.choices), 'notify, bell or off'),
  });
}

function check<TSchema extends v.GenericSchema>(option: string, value: unknown, schema: TSchema, takes: string): v.InferOutput<TSchema> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const given = typeof value === 'string' ? ` "${visibleLine(value.slice(0, 80))}" will not do.` : '';
  throw usage(`${option} takes ${takes}.${given}`);
}

function usage(message: string): P2pError {
  return new P2pError('usage', `${message} p2p-client --help shows all options.`);
}
