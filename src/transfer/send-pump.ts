/**
 * Moves file bytes of all outgoing transfers of one session onto its link, in turns (PROTOCOL.md 7.5).
 *
 * Owns the order, the number of batches in flight and their size; reading and hashing is the transfer's business. Few
 * and short batches in flight keep chat quick: a message waits for at most {@link SENDING} of them.
 */
import type { Clock } from '../net/clock.js';
import { transferLimits } from '../protocol/limits.js';
import type { BufferPool } from './buffer-pool.js';

/** Batches handed to the link at once: one on its way, one ready behind it. */
const SENDING = 2;
/** Batches in all, so that others are read from disk while {@link SENDING} are sent. */
const BATCHES = 4;

/** A batch that takes longer than this is halved the next time, one that takes less than the first is doubled. */
const QUICK_MS = 25;
const SLOW_MS = 100;
/** Not below: at 64 KiB a whole window fits into `transferLimits.strayDataFrames` frames. */
const LEAST_BYTES = transferLimits.windowBytes / transferLimits.strayDataFrames;
const FIRST_BYTES = 4 * LEAST_BYTES;

/** The size of the next batch, after one of `bytes` has taken `elapsedMs` to get onto the wire. */
export function nextBatchBytes(bytes: number, elapsedMs: number): number {
  if (elapsedMs < QUICK_MS) return Math.min(bytes * 2, transferLimits.bufferBytes);
  if (elapsedMs > SLOW_MS) return Math.max(bytes / 2, LEAST_BYTES);
  return bytes;
}

/** An outgoing transfer as the pump sees it. */
export interface Pumped {
  /** Whether a batch may be read now: there is credit, and no other read of this transfer. */
  readonly ready: boolean;
  /** False once the transfer has ended: what was read for it is dropped. */
  readonly live: boolean;
  /** Reads the next batch of at most `maxBytes` into `buffer`; undefined where that ended the transfer. Never rejects. */
  read(buffer: Buffer, maxBytes: number): Promise<Buffer | undefined>;
  /** The batch read last is with the link. */
  sent(): void;
  /** The link did not take the batch. */
  lost(error: unknown): void;
}

export class SendPump {
  readonly #sendData: (frames: Buffer) => Promise<void>;
  readonly #pool: BufferPool;
  readonly #clock: Clock;
  /** The transfers, the one whose turn is next in front. */
  readonly #ring: Pumped[] = [];
  readonly #waiting: (() => void)[] = [];
  #batches = 0;
  #sending = 0;
  #batchBytes = FIRST_BYTES;

  constructor(sendData: (frames: Buffer) => Promise<void>, pool: BufferPool, clock: Clock) {
    this.#sendData = sendData;
    this.#pool = pool;
    this.#clock = clock;
  }

  add(transfer: Pumped): void {
    this.#ring.push(transfer);
    this.wake();
  }

  remove(transfer: Pumped): void {
    const at = this.#ring.indexOf(transfer);
    if (at >= 0) this.#ring.splice(at, 1);
  }

  /** Looks again for something to send: after credit, after an end. */
  wake(): void {
    while (this.#batches < BATCHES) {
      const transfer = this.#next();
      if (transfer === undefined) return;
      this.#batches += 1;
      void this.#carry(transfer);
    }
  }

  #next(): Pumped | undefined {
    const at = this.#ring.findIndex((transfer) => transfer.ready);
    const next = this.#ring[at];
    if (next !== undefined) this.#ring.push(...this.#ring.splice(0, at + 1));
    return next;
  }

  async #carry(transfer: Pumped): Promise<void> {
    const buffer = this.#pool.take();
    const frames = await transfer.read(buffer, this.#batchBytes);
    // The next one may be read while this one waits for its turn; turns are taken in the order of asking.
    this.wake();
    if (frames !== undefined) {
      await this.#turn();
      if (transfer.live) await this.#send(transfer, frames);
      this.#yieldTurn();
    }
    this.#pool.give(buffer);
    this.#batches -= 1;
    this.wake();
  }

  async #send(transfer: Pumped, frames: Buffer): Promise<void> {
    const start = this.#clock.now();
    try {
      const taken = this.#sendData(frames);
      transfer.sent();
      await taken;
      this.#batchBytes = nextBatchBytes(this.#batchBytes, this.#clock.now() - start);
    } catch (error) {
      transfer.lost(error);
    }
  }

  async #turn(): Promise<void> {
    if (this.#sending < SENDING) {
      this.#sending += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #yieldTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#sending -= 1;
    else next();
  }
}
