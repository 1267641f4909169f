/**
 * Reused blocks of memory for reading and writing files, shared with the threads of the disks.
 *
 * Measured here: a fresh buffer for every chunk costs 2 to 4 times the system time of a handful of reused ones. The pool
 * does not bound how many are out: credit bounds those of the receiver, the send pump its own. What is idle is kept as long
 * as the program runs: memory that two threads share is free only when both have collected their garbage, which an idle one
 * does not, so that letting go at the end of each transfer made the program grow by a window each time.
 */
import { DATA_PREFIX_BYTES, END_FRAME_BYTES } from '../protocol/frames.js';
import { frameLimits, transferLimits } from '../protocol/limits.js';
import { RECEIVE_BLOCK_BYTES } from './store/block-filler.js';

/** Data frames that one block of the sender has room for. */
export const FRAMES_PER_BUFFER = transferLimits.bufferBytes / frameLimits.dataPayloadBytes;

/** A block of the sender: `transferLimits.bufferBytes` of file, the prefix of each frame in front of its share, and the end of the file. */
export const SEND_BLOCK_BYTES = transferLimits.bufferBytes + FRAMES_PER_BUFFER * DATA_PREFIX_BYTES + END_FRAME_BYTES;

export class BufferPool {
  readonly #bytes: number;
  /** Idle blocks kept: what one transfer uses at full speed. */
  readonly #kept: number;
  readonly #idle: Buffer[] = [];
  #out = 0;

  /** @param bytes Of each block. */
  constructor(bytes: number = SEND_BLOCK_BYTES) {
    this.#bytes = bytes;
    this.#kept = Math.ceil(transferLimits.windowBytes / bytes);
  }

  /** Blocks taken and not given back. */
  get out(): number {
    return this.#out;
  }

  /** A block with whatever content its last user left, over a SharedArrayBuffer of its own. */
  take(): Buffer {
    this.#out += 1;
    return this.#idle.pop() ?? Buffer.from(new SharedArrayBuffer(this.#bytes));
  }

  give(buffer: Buffer): void {
    this.#out -= 1;
    if (this.#idle.length < this.#kept) this.#idle.push(buffer);
  }
}

/** The blocks of a whole program: all sessions share them. */
export class BlockPools {
  readonly send = new BufferPool(SEND_BLOCK_BYTES);
  readonly receive = new BufferPool(RECEIVE_BLOCK_BYTES);
}
