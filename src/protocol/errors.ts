/**
 * The error classes of the whole program and the codes that go over the wire (PROTOCOL.md 8).
 *
 * A class exists only where the reaction differs. Anything that is not a {@link P2pError} is a bug and ends the program.
 */

/** Codes that one side may send to the other; see PROTOCOL.md 8 for what each asks of the receiver. */
export const WIRE_CODES = [
  'bad-frame',
  'bad-message',
  'unexpected-message',
  'unsupported-version',
  'name-taken',
  'bad-name',
  'not-authenticated',
  'intercepted',
  'too-many-attempts',
  'rate-limited',
  'unavailable',
  'timed-out',
  'too-slow',
  'displaced',
  'shutting-down',
  'server-error',
] as const;
export type WireCode = (typeof WIRE_CODES)[number];

/** Why a transfer ended without success; goes over the wire in `reject` and `cancel` (PROTOCOL.md 7.5). */
export const TRANSFER_CODES = [
  'rejected',
  'rejected-by-policy',
  'too-many-transfers',
  'cancelled',
  'bad-name',
  'size-mismatch',
  'hash-mismatch',
  'out-of-order',
  'source-changed',
  'read-failed',
  'write-failed',
  'disk-full',
  'too-large',
  'bad-listing',
  'session-closed',
  'link-lost',
] as const;
export type TransferCode = (typeof TRANSFER_CODES)[number];

/** Codes that arise on this machine and never travel. */
export type LocalCode =
  | 'usage'
  | 'cannot-connect'
  | 'link-lost'
  | 'server-key-changed'
  | 'peer-key-changed'
  | 'peer-key-wrong'
  | 'no-key-change'
  | 'unknown-peer'
  | 'no-path'
  | 'no-session'
  | 'session-open'
  | 'session-closed'
  | 'unknown-command'
  | 'bad-argument'
  | 'no-such-offer'
  | 'no-such-transfer'
  | 'no-such-file'
  | 'not-a-file'
  | 'message-too-long'
  | 'password-missing'
  | 'already-connected'
  | 'port-in-use'
  | 'bad-pin-file'
  | 'bad-block-list'
  | 'blocked'
  | 'bad-data-directory'
  | 'store-damaged'
  | 'closed';

export type ErrorCode = WireCode | TransferCode | LocalCode;

/**
 * Base of every error that the program expects. `message` is shown to people, so it says what to do next and carries no
 * internals; `cause` holds those for debugging.
 */
export class P2pError extends Error {
  override readonly name: string = 'P2pError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The other side broke the rules of PROTOCOL.md: tell it once, close the link. */
export class RemoteViolation extends P2pError {
  override readonly name = 'RemoteViolation';
  declare readonly code: WireCode;

  constructor(code: WireCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** A request was refused: answer it, keep the link. */
export class RequestRefused extends P2pError {
  override readonly name = 'RequestRefused';
  declare readonly code: WireCode;

  constructor(code: WireCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** The link is gone: retry where that makes sense. */
export class LinkLost extends P2pError {
  override readonly name = 'LinkLost';
}

/** The text of anything thrown, for a message or a log line; never a stack. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an error (`ECONNREFUSED`, `ENOSPC`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
