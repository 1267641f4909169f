/**
 * Why a transfer ends without success: one error class, and the step from what the system says to a code of PROTOCOL.md 8.
 *
 * Texts are neutral, since both sides show the same one, the other as words of the first: they name the sender and the
 * receiver, never "you", and carry no path of either machine.
 */
import { P2pError, systemCode, type TransferCode } from '../protocol/errors.js';
import { quoted } from '../protocol/text.js';

/** Ends one transfer; the session goes on. */
export class TransferFailure extends P2pError {
  override readonly name = 'TransferFailure';
  declare readonly code: TransferCode;
  /** As in `transfer-failed`. */
  readonly by: 'you' | 'peer' | undefined;

  constructor(code: TransferCode, message: string, options?: { cause?: unknown; by?: 'you' | 'peer' }) {
    super(code, message, options);
    this.by = options?.by;
  }
}

/** No room or no quota left: it may be there later. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

export function isFull(error: unknown): boolean {
  return FULL.includes(systemCode(error) ?? '') || (error instanceof TransferFailure && error.code === 'disk-full');
}

/** Ends after which nothing that was received is of use, or wanted. */
const DISCARDED: readonly TransferCode[] = ['rejected', 'rejected-by-policy', 'cancelled', 'hash-mismatch', 'size-mismatch', 'out-of-order', 'bad-listing', 'bad-name', 'too-large', 'too-many-transfers'];

/** Whether what was received is kept after such an end, to be continued. */
export function isKept(code: TransferCode): boolean {
  return !DISCARDED.includes(code);
}

/** What the other side gave as its reason, marked as its words. */
export function peerFailure(peer: string, { code, message }: { readonly code: TransferCode; readonly message: string }): TransferFailure {
  return new TransferFailure(code, `${peer} says: ${quoted(message)}`, { by: 'peer' });
}

/**
 * The failure behind an error of the receiver's disk.
 *
 * @throws the error itself where the system did not raise it: then it is a bug.
 */
export function writeFailure(error: unknown): TransferFailure {
  if (error instanceof TransferFailure) return error;
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (isFull(error)) return new TransferFailure('disk-full', `The receiver has no room for the file (${code}).`, { cause: error });
  return new TransferFailure('write-failed', `The receiver could not write the file (${code}).`, { cause: error });
}

/**
 * The failure behind an error of the sender's disk.
 *
 * @throws the error itself where the system did not raise it: then it is a bug.
 */
export function readFailure(error: unknown): TransferFailure {
  if (error instanceof TransferFailure) return error;
  if (error instanceof P2pError) return new TransferFailure('read-failed', 'The sender could not read what it had offered.', { cause: error });
  const code = systemCode(error);
  if (code === undefined) throw error;
  return new TransferFailure('read-failed', `The sender could not read the file (${code}).`, { cause: error });
}
