/**
 * The two languages of `--json`: lines on stdin → requests, events → lines on stdout. Pure.
 *
 * Names and fields are an interface that programs rely on (README, JSON table).
 */
import * as v from 'valibot';
import { P2pError } from '../protocol/errors.js';
import type { Command } from './commands.js';
import { parseCommand } from './commands.js';
import type { InputObject, RequestId } from './json-events.js';
import { terminalLimits } from '../protocol/limits.js';
import { quoted, visibleLine } from '../protocol/text.js';

/** What one line asks for. `say` with `to` goes to that peer, whoever is current. */
export type JsonRequest =
  | { readonly id: RequestId | undefined; readonly kind: 'command'; readonly command: Command }
  | { readonly id: RequestId | undefined; readonly kind: 'say'; readonly text: string; readonly to: string | undefined };

const requestId = v.union([v.pipe(v.number(), v.safeInteger()), v.pipe(v.string(), v.minLength(1), v.check((id) => Array.from(id).length <= terminalLimits.requestIdChars))]);
const ObjectLine: v.GenericSchema<unknown, InputObject> = v.union([
  v.strictObject({ id: v.exactOptional(requestId), command: v.pipe(v.string(), v.minLength(1)) }),
  v.strictObject({ id: v.exactOptional(requestId), say: v.pipe(v.string(), v.minLength(1)), to: v.exactOptional(v.pipe(v.string(), v.minLength(1))) }),
]);

const OBJECT_KEYS: readonly string[] = ['id', 'command', 'say', 'to'];
/** More of an unknown key says no more about where it came from. */
const SHOWN_KEY_CHARS = 40;

/** A line that is no request; `request` is its `id`, where it has a valid one. */
export class BadLine extends P2pError {
  override readonly name = 'BadLine';
  readonly request: RequestId | undefined;

  constructor(error: P2pError, request: RequestId | undefined) {
    super(error.code, error.message, { cause: error });
    this.request = request;
  }
}

/**
 * Reads a line: an object, or what a person would type. Blank lines are undefined.
 *
 * @throws BadLine `bad-argument`, `unknown-command`.
 */
export function parseJsonLine(line: string): JsonRequest | undefined {
  if (line.trim() === '') return undefined;
  let id: RequestId | undefined;
  try {
    if (!/^\s*\{/u.test(line)) return { id, kind: 'command', command: parseCommand(line) };
    const value = parseObject(line);
    const ownId = v.safeParse(v.object({ id: requestId }), value);
    if (ownId.success) id = ownId.output.id;
    const parsed = v.safeParse(ObjectLine, value);
    if (!parsed.success) {
      throw new P2pError('bad-argument', `An object line is {"id": 1, "command": "SEND_FILE a.txt"} or {"id": 2, "say": "text", "to": "bob"}; id and to may be left out.${unknownKey(value)}`);
    }
    if ('say' in parsed.output) return { id, kind: 'say', text: parsed.output.say, to: parsed.output.to };
    const command = parseCommand(parsed.output.command);
    if (command.command === 'SAY') throw new P2pError('unknown-command', '"command" holds no command. Chat is {"say": "text"}; #HELP lists all commands.');
    return { id, kind: 'command', command };
  } catch (error) {
    if (error instanceof P2pError) throw new BadLine(error, id);
    throw error;
  }
}

/** A key that no object line has, by name: most often a slip. */
function unknownKey(value: unknown): string {
  const key = typeof value !== 'object' || value === null ? undefined : Object.keys(value).find((one) => !OBJECT_KEYS.includes(one));
  if (key === undefined) return '';
  const shown = key.length > SHOWN_KEY_CHARS ? `${key.slice(0, SHOWN_KEY_CHARS)}…` : key;
  return ` It has no key ${quoted(visibleLine(shown))}.`;
}

function parseObject(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw new P2pError('bad-argument', 'A line that begins with { must be a JSON object. To chat such a text, use {"say": "text"}.', { cause });
  }
}

/** What JSON leaves as it is, and a terminal, if somebody looks at the output there, would execute or be fooled by. */
const RAW = /[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** One line of output: `event` and `at` first, then the fields; those that are undefined are left out. */
export function jsonLine(event: { readonly event: string }, at: Date): string {
  const { event: name, ...fields } = event;
  const json = JSON.stringify({ event: name, at: at.toISOString(), ...fields });
  return `${json.replace(RAW, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
