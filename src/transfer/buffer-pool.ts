/**
 * Reused buffers for reading and writing files.
 *
 * Measured here: a fresh buffer for every chunk costs 2 to 4 times the system time of a handful of reused ones. The pool
 * does not bound how many are out: credit bounds those of the receiver, the send pump its own.
 */
import { DATA_PREFIX_BYTES } from '../protocol/frames.js';
import { frameLimits, transferLimits } from '../protocol/limits.js';

/** Data frames that one buffer has room for. */
export const FRAMES_PER_BUFFER = transferLimits.bufferBytes / frameLimits.dataPayloadBytes;

/** `transferLimits.bufferBytes` of file, and the prefix of each frame in front of its share. */
const POOLED_BYTES = transferLimits.bufferBytes + FRAMES_PER_BUFFER * DATA_PREFIX_BYTES;

/** Idle buffers kept: what one transfer in each direction uses at full speed. */
const KEPT = 2 * (transferLimits.windowBytes / transferLimits.bufferBytes);

export class BufferPool {
  #idle: Buffer[] = [];
  #out = 0;

  /** Buffers taken and not given back. */
  get out(): number {
    return this.#out;
  }

  /** A buffer with whatever content its last user left. */
  take(): Buffer {
    this.#out += 1;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
  }

  give(buffer: Buffer): void {
    this.#out -= 1;
    if (this.#idle.length < KEPT) this.#idle.push(buffer);
  }

  /** Lets go of idle buffers, for a session that has nothing under way. */
  trim(): void {
    this.#idle = [];
  }
}
