/**
 * Moves file bytes of all outgoing transfers of one session onto its link, in turns (PROTOCOL.md 7.5.2).
 *
 * Owns the order, the number of batches in flight and their size; reading and hashing is the transfer's business. Few
 * and short batches in flight keep chat quick: a message waits for at most {@link SENDING} of them.
 */
import type { Clock } from '../net/clock.js';
import { LinkLost } from '../protocol/errors.js';
import { SEND_BLOCK_BYTES, type BufferPool } from './buffer-pool.js';
import type { Flow, Turn } from './rate-limit.js';

/** Batches handed to the link at once: one on its way, one ready behind it. */
const SENDING = 2;
/** Batches in all, so that others are read from disk while {@link SENDING} are sent. */
const BATCHES = 4;

/** A batch that takes longer than this is halved the next time, one that takes less than the first is doubled. */
const QUICK_MS = 25;
const SLOW_MS = 100;
const LEAST_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * LEAST_BYTES;

/** The size of the next batch, after one of `bytes` has taken `elapsedMs` to get onto the wire. */
export function nextBatchBytes(bytes: number, elapsedMs: number): number {
  if (elapsedMs < QUICK_MS) return Math.min(bytes * 2, SEND_BLOCK_BYTES);
  if (elapsedMs > SLOW_MS) return Math.max(bytes / 2, LEAST_BYTES);
  return bytes;
}

/** Frames that a transfer has read. */
export interface Batch {
  /** The beginning of the buffer that was given; empty where there was nothing to send yet. */
  readonly frames: Buffer;
  /** False once they are of no use: the transfer has ended, or the link for which they were read. */
  readonly wanted: boolean;
  /** They wait for the rate limit from now on, or no longer. */
  limited(is: boolean): void;
  /** They are with the link. */
  sent(): void;
}

/** An outgoing transfer as the pump sees it. */
export interface Pumped {
  /** Whether a batch may be read now: there is credit and something to read, and no other read of this transfer. */
  readonly ready: boolean;
  /** Reads the next batch of at most `maxBytes` into `buffer`; undefined where that ended the transfer. Never rejects. */
  read(buffer: Buffer, maxBytes: number): Promise<Batch | undefined>;
}

export interface SendPumpOptions {
  /** Rejects with LinkLost when the link is gone. */
  sendData(frames: Buffer): Promise<void>;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly flow: Flow;
}

export class SendPump {
  readonly #options: SendPumpOptions;
  /** The transfers, the one whose turn is next in front. */
  readonly #ring: Pumped[] = [];
  readonly #waiting: (() => void)[] = [];
  #batches = 0;
  #sending = 0;
  #batchBytes = FIRST_BYTES;

  constructor(options: SendPumpOptions) {
    this.#options = options;
  }

  /** Harmless where it is in already. */
  add(transfer: Pumped): void {
    if (!this.#ring.includes(transfer)) this.#ring.push(transfer);
    this.wake();
  }

  remove(transfer: Pumped): void {
    const at = this.#ring.indexOf(transfer);
    if (at >= 0) this.#ring.splice(at, 1);
  }

  /** Looks again for something to send: after credit, after a plan, after an end. */
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
    const { pool, flow } = this.#options;
    const buffer = pool.take();
    const batch = await transfer.read(buffer, Math.min(this.#batchBytes, flow.evenBytes ?? Number.POSITIVE_INFINITY));
    // The next one may be read while this one waits for its turn; turns are taken in the order of asking.
    this.wake();
    if (batch !== undefined && batch.frames.length > 0) {
      await this.#turn();
      if (batch.wanted) await this.#limit(batch);
      if (batch.wanted) await this.#send(batch);
      this.#yieldTurn();
    }
    pool.give(buffer);
    this.#batches -= 1;
    this.wake();
  }

  async #limit(batch: Batch): Promise<void> {
    const turn: Turn | undefined = this.#options.flow.take(batch.frames.length);
    if (turn === undefined) return;
    batch.limited(true);
    await turn.come;
    batch.limited(false);
  }

  async #send(batch: Batch): Promise<void> {
    const { clock } = this.#options;
    const start = clock.now();
    try {
      const taken = this.#options.sendData(batch.frames);
      batch.sent();
      await taken;
      this.#batchBytes = nextBatchBytes(this.#batchBytes, clock.now() - start);
    } catch (error) {
      // The session knows that its link is gone, and begins anew on the next.
      if (!(error instanceof LinkLost)) throw error;
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
