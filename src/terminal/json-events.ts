/**
 * The lines of `--json` as types: what comes in as objects, what goes out. The engine's events go out as they are (client/api.ts);
 * here are the answers to commands beside them.
 *
 * Owns shapes only. The JSON Schema that is shipped with the package is made from these types and their comments at build time,
 * so every field is documented where it stands.
 */
import type { AcceptedKey, ClientEvent, Leftover, SafetyNumberInfo, TransferSnapshot, WhoisInfo } from '../client/api.js';
import type { ErrorCode } from '../protocol/errors.js';

/** The `id` of a line, given back in `done` or `error`. */
export type RequestId = number | string;

interface WithId {
  /**
   * Any whole number, or a text of 1 to 64 characters; given back in the `done` or `error` that answers the line. Without it there is no `done`.
   *
   * @multipleOf 1
   * @minimum -9007199254740991
   * @maximum 9007199254740991
   * @minLength 1
   * @maxLength 64
   */
  readonly id?: RequestId;
}

interface CommandObject extends WithId {
  /**
   * A command as a person would type it, such as `SEND_FILE a b.txt`.
   *
   * @minLength 1
   */
  readonly command: string;
}

interface SayObject extends WithId {
  /**
   * Text for a peer: never read as a command.
   *
   * @minLength 1
   */
  readonly say: string;
  /**
   * Whom, of those with an open session; without it the current one.
   *
   * @minLength 1
   */
  readonly to?: string;
}

/** One object on stdin: a command, or text for a peer. */
export type InputObject = CommandObject | SayObject;

/** What answers a command, besides what the engine tells. */
export type AnswerEvent =
  /** To `GET_CLIENT_LIST`: everybody online, sorted. `total` is more where the list is cut short: then narrow it with a prefix. */
  | {
      readonly event: 'client-list';
      readonly clients: readonly string[];
      readonly total: number;
      /** Those of `clients` who said that they are away, and what they said. */
      readonly away?: readonly { readonly user: string; readonly text: string }[];
    }
  /** To `GET_CLIENT_INFO`. */
  | { readonly event: 'client-info'; readonly user: string; readonly fingerprint: string; readonly addresses: readonly string[] }
  /** To `BLOCK`. `known`: false where nobody of that name was ever talked to or is online, so that it may be mistyped. */
  | { readonly event: 'blocked'; readonly user: string; readonly fingerprint?: string; readonly known: boolean }
  /** To `LIST_BLOCKED`, oldest first. `since`: the day, `YYYY-MM-DD`. */
  | { readonly event: 'blocked-list'; readonly blocked: readonly { readonly user: string; readonly fingerprint?: string; readonly since?: string }[] }
  /** To `VERIFY`, also with yes or no. */
  | ({ readonly event: 'safety-number' } & SafetyNumberInfo)
  /** To `ACCEPT_KEY`: from now on this key is the right one; it is not verified. */
  | ({ readonly event: 'key-accepted' } & AcceptedKey)
  /** To `WHOIS`. */
  | ({ readonly event: 'whois' } & WhoisInfo)
  /** To `LIST_FILES`: what has not ended, and what is unfinished from earlier and can be continued. */
  | { readonly event: 'files'; readonly transfers: readonly TransferSnapshot[]; readonly leftovers: readonly Leftover[] }
  /** To `LIMIT_RATE`: bytes a second, null for none. */
  | { readonly event: 'rate-limit'; readonly bytesPerSecond: number | null }
  /** To `#HELP`: lines with `\n` between. */
  | { readonly event: 'help'; readonly text: string }
  /**
   * The line with the id `request` is done. `transfer`: the number of what it sends, or of the offer or file that was waited for;
   * `peer`: who was waited for.
   */
  | { readonly event: 'done'; readonly request: RequestId; readonly transfer?: number; readonly peer?: string }
  /** A line failed. `request` is its id where it had a valid one. `message` says what to do next; decide by `code`. */
  | { readonly event: 'error'; readonly code: ErrorCode; readonly message: string; readonly request?: RequestId | undefined };

export type JsonEvent = ClientEvent | AnswerEvent;

/** What is added to every event when it goes out. */
export interface Stamped {
  /**
   * When it went out, UTC.
   *
   * @format date-time
   */
  readonly at: string;
}
