/**
 * What the receiver's two threads say to each other about frames: records in a block (PROTOCOL.md 7.5.2).
 *
 * Owns the form of a record, which never leaves the process. The main thread copies what TLS delivers into a block, pieces
 * of one file joined, so that the other thread writes them with few calls; incoming-tree.ts reads them there.
 */
import { EntryStatus } from '../../protocol/frames.js';
import { transferLimits } from '../../protocol/limits.js';
import type { BlockFiller } from './store.js';

/** `u32 kind << 30 | file bytes ‖ u32 entry ‖ f64 offset`, then the bytes. */
const DATA_HEADER_BYTES = 16;
/** `u32 kind << 30 | status ‖ u32 entry`, then the hash. */
const END_HEADER_BYTES = 8;
const HASH_BYTES = 32;
const END_RECORD_BYTES = END_HEADER_BYTES + HASH_BYTES;

/** A block with one piece of a large file has room for just one aligned write of it. */
export const RECEIVE_BLOCK_BYTES = transferLimits.writeBytes + DATA_HEADER_BYTES;

const KIND_SHIFT = 30;
const DATA = 1;
const END = 2;
const BELOW_KIND = 2 ** KIND_SHIFT - 1;

/** The {@link BlockFiller} over one block of the pool. A new one for every filling. */
export class RecordBlock implements BlockFiller {
  readonly block: Buffer;
  #used = 0;
  /** Where the record stands that still grows; -1: none. */
  #open = -1;
  #openEntry = 0;
  #openBytes = 0;
  #nextOffset = 0;

  constructor(block: Buffer) {
    this.block = block;
  }

  get bytes(): number {
    return this.#used;
  }

  data(entry: number, offset: number, bytes: Uint8Array): number {
    const grows = this.#open >= 0 && this.#openEntry === entry && this.#nextOffset === offset;
    const at = grows ? this.#used : this.#used + DATA_HEADER_BYTES;
    const count = Math.min(bytes.length, this.block.length - at);
    if (count <= 0) return 0;
    if (!grows) {
      this.#open = this.#used;
      this.#openEntry = entry;
      this.#openBytes = 0;
      this.block.writeUInt32LE(entry, this.#open + 4);
      this.block.writeDoubleLE(offset, this.#open + 8);
    }
    // Not `set`: between places of which one is shared memory that copies byte by byte, at a tenth of the speed.
    this.block.fill(bytes, at, at + count);
    this.#openBytes += count;
    this.block.writeUInt32LE(DATA * 2 ** KIND_SHIFT + this.#openBytes, this.#open);
    this.#nextOffset = offset + count;
    this.#used = at + count;
    return count;
  }

  end(entry: number, status: EntryStatus, blake3: string): boolean {
    const at = this.#used;
    if (this.block.length - at < END_RECORD_BYTES) return false;
    this.block.writeUInt32LE(END * 2 ** KIND_SHIFT + status, at);
    this.block.writeUInt32LE(entry, at + 4);
    this.block.write(blake3, at + END_HEADER_BYTES, HASH_BYTES, 'hex');
    this.#used = at + END_RECORD_BYTES;
    this.#open = -1;
    return true;
  }
}

/** `from` and `to` are positions in the block; `next` is where the next record begins. */
export type BlockRecord =
  | { readonly kind: 'data'; readonly entry: number; readonly offset: number; readonly from: number; readonly to: number; readonly next: number }
  | { readonly kind: 'end'; readonly entry: number; readonly status: EntryStatus; readonly blake3: string; readonly next: number };

/** The record that begins at `at` of a block. */
export function readRecord(block: Buffer, at: number): BlockRecord {
  const word = block.readUInt32LE(at);
  const entry = block.readUInt32LE(at + 4);
  if (word >>> KIND_SHIFT === DATA) {
    const from = at + DATA_HEADER_BYTES;
    const to = from + (word & BELOW_KIND);
    return { kind: 'data', entry, offset: block.readDoubleLE(at + 8), from, to, next: to };
  }
  const next = at + END_RECORD_BYTES;
  const status = (word & BELOW_KIND) === EntryStatus.whole ? EntryStatus.whole : EntryStatus.unreadable;
  return { kind: 'end', entry, status, blake3: block.toString('hex', at + END_HEADER_BYTES, next), next };
}
