/**
 * What is remembered of incoming transfers that have ended: the last word, for a sender that did not hear it (PROTOCOL.md
 * 7.5.5), and how much that was on its way may still come; more closes the link (7.5.4; HOSTILE 30).
 */
import { RemoteViolation } from '../protocol/errors.js';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES } from '../protocol/frames.js';
import { transferLimits } from '../protocol/limits.js';
import type { TransferMessage } from '../protocol/peer-messages.js';

/** The answer that ended a transfer, to be given again where it is offered again. */
export type LastWord = Extract<TransferMessage, { type: 'verified' | 'reject' | 'cancel' }>;

interface Ended {
  readonly lastWord: LastWord | undefined;
  /** Bytes of frames that may still come. */
  outstanding: number;
  /** Whether its sender may not have heard of the end, since another link has come. */
  mayRepeat: boolean;
}

export class EndedTransfers {
  readonly #ended = new Map<number, Ended>();

  /** What was said about `transfer` in the end; its `lastWord` is undefined where that was the sender's. */
  get(transfer: number): { readonly lastWord: LastWord | undefined; readonly mayRepeat: boolean } | undefined {
    return this.#ended.get(transfer);
  }

  /** @param outstanding bytes of frames that were granted and have not come. */
  add(transfer: number, lastWord: LastWord | undefined, outstanding: number): void {
    this.#ended.set(transfer, { lastWord, outstanding, mayRepeat: false });
    if (this.#ended.size <= transferLimits.rememberedTransfers) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
  }

  /** A new link: what was on its way is gone. */
  linked(): void {
    for (const ended of this.#ended.values()) {
      ended.outstanding = 0;
      ended.mayRepeat = true;
    }
  }

  /** @throws RemoteViolation as {@link strayEnd}. */
  strayData(transfer: number, bytes: number, first: boolean): void {
    this.#stray(transfer, bytes + (first ? DATA_PREFIX_BYTES : 0));
  }

  /** @throws RemoteViolation `unexpected-message` where the transfer never was, or more comes than had been granted. */
  strayEnd(transfer: number): void {
    this.#stray(transfer, END_FRAME_BYTES);
  }

  #stray(transfer: number, bytes: number): void {
    const ended = this.#ended.get(transfer);
    if (ended === undefined) throw new RemoteViolation('unexpected-message', 'Data came for a file that was never offered.');
    ended.outstanding -= bytes;
    if (ended.outstanding < 0) throw new RemoteViolation('unexpected-message', 'Data kept coming for a transfer that has ended.');
  }
}
