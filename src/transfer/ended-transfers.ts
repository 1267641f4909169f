/**
 * What is remembered of incoming transfers that have ended: data that was on its way is dropped, more closes the link
 * (PROTOCOL.md 7.5; HOSTILE 30).
 */
import { RemoteViolation } from '../protocol/errors.js';
import { frameLimits, transferLimits } from '../protocol/limits.js';

interface Strays {
  frames: number;
  /** Where the next piece of the frame counted last would begin, and the bytes it can still have. */
  next: number;
  left: number;
}

export class EndedTransfers {
  readonly #strays = new Map<number, Strays>();

  has(transfer: number): boolean {
    return this.#strays.has(transfer);
  }

  add(transfer: number): void {
    this.#strays.set(transfer, { frames: 0, next: -1, left: 0 });
    if (this.#strays.size <= transferLimits.rememberedTransfers) return;
    const [oldest] = this.#strays.keys();
    if (oldest !== undefined) this.#strays.delete(oldest);
  }

  /**
   * Counts one piece of data that is dropped. Pieces arrive without the bounds of their frames: those that follow each
   * other count as one, up to the size that a frame can have.
   *
   * @throws RemoteViolation `unexpected-message` where the transfer never was, or after `transferLimits.strayDataFrames`.
   */
  stray(transfer: number, offset: number, bytes: number): void {
    const strays = this.#strays.get(transfer);
    if (strays === undefined) throw new RemoteViolation('unexpected-message', 'Data came for a file that was never offered.');
    if (offset !== strays.next || bytes > strays.left) {
      strays.frames += 1;
      strays.left = frameLimits.dataPayloadBytes;
    }
    strays.next = offset + bytes;
    strays.left -= bytes;
    if (strays.frames > transferLimits.strayDataFrames) throw new RemoteViolation('unexpected-message', 'Data kept coming for a transfer that has ended.');
  }
}
