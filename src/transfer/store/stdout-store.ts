/**
 * The store for `--received -`: exactly one file, whose bytes go to a stream as they come.
 *
 * Owns what that takes away from a transfer: nothing that has gone out can be taken back, so a folder, a second file and a
 * restart from the beginning are refused, and the hash is checked when the reader has the bytes. It never closes the stream.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { systemCode } from '../../protocol/errors.js';
import { EntryStatus } from '../../protocol/frames.js';
import { readRecord, type BlockRecord } from './block-filler.js';
import { TransferFailure } from '../failure.js';
import type { Listing, Plan } from '../source/source.js';
import type { Incoming, Leftover, Outlook, Store, Stored, Wanted, Written } from './store.js';

export class StdoutStore implements Store {
  readonly #out: Writable;
  /** Undefined, or the one file, as long as it may still come or some of it has gone out. */
  #file: StreamedFile | undefined;
  #failed: Error | undefined;

  constructor(out: Writable) {
    this.#out = out;
    // Told to the transfer by the write that fails.
    out.on('error', (error) => (this.#failed ??= error));
  }

  // Refusals are rejections, as in any other store.
  outlook(wanted: Wanted): Promise<Outlook> {
    const refusal = this.#refusal(wanted);
    return refusal === undefined ? Promise.resolve({ free: undefined, exists: false, same: false, partial: 0 }) : Promise.reject(refusal);
  }

  sameEntries(): Promise<{ readonly files: number; readonly bytes: number }> {
    return Promise.resolve({ files: 0, bytes: 0 });
  }

  open(wanted: Wanted): Promise<Incoming> {
    const refusal = this.#refusal(wanted);
    if (refusal !== undefined) return Promise.reject(refusal);
    const file = new StreamedFile(this.#out, wanted, () => this.#failed);
    this.#file = file;
    return Promise.resolve(file);
  }

  leftovers(): Promise<readonly Leftover[]> {
    return Promise.resolve([]);
  }

  removeLeftovers(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #refusal({ kind }: Wanted): TransferFailure | undefined {
    if (kind === 'folder') return new TransferFailure('rejected-by-policy', 'The receiver takes one file, not a folder.');
    if (this.#file === undefined || this.#file.spared) return undefined;
    return new TransferFailure('rejected-by-policy', 'The receiver takes one file, and has got it or is getting it.');
  }
}

class StreamedFile implements Incoming {
  readonly settled = undefined;
  readonly #out: Writable;
  readonly #wanted: Wanted;
  readonly #error: () => Error | undefined;
  readonly #hasher = new Blake3Hasher();
  /** Bytes that went out. */
  #position = 0;
  /** Of these, how many before this link. */
  #had = 0;
  #state: 'open' | 'ended' | 'closed' = 'open';
  /** Whether data of this link has come. */
  #begun = false;
  #calls: Promise<unknown> = Promise.resolve();
  #since: number | undefined;

  constructor(out: Writable, wanted: Wanted, error: () => Error | undefined) {
    this.#out = out;
    this.#wanted = wanted;
    this.#error = error;
  }

  get ended(): number {
    return this.#state === 'ended' ? 1 : 0;
  }

  get busyMs(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  /** Whether it was given up before a byte went out, so that another may come. */
  get spared(): boolean {
    return this.#state === 'closed' && this.#position === 0;
  }

  async start(): Promise<void> {
    await this.#calls;
    this.#begun = false;
    this.#had = this.#position;
  }

  async plan({ first, entries }: Listing): Promise<readonly Plan[]> {
    await this.#calls;
    if (first !== 0 || entries.length !== 1) throw new TransferFailure('bad-listing', 'The sender listed more than the file.');
    const points = this.#position === 0 ? [] : [{ bytes: this.#position, blake3: this.#hasher.digest('hex') }];
    return [{ first: 0, count: 1, have: points.length === 0 ? [] : [{ entry: 0, points }], skip: [] }];
  }

  write(block: Buffer, bytes: number): Promise<Written> {
    const written = this.#calls.then(() => this.#writeAll(block, bytes));
    this.#calls = Promise.allSettled([written]);
    return written;
  }

  async publish(): Promise<Stored> {
    await this.#calls;
    if (this.#state !== 'ended') throw new TransferFailure('out-of-order', 'The file has not come as a whole.');
    if (this.#out.writableNeedDrain) await once(this.#out, 'drain');
    return { path: undefined, same: 0, refused: 0, resumed: this.#had, bytes: this.#position, files: 1, blake3: this.#hasher.digest('hex') };
  }

  discard(): Promise<void> {
    return this.keep();
  }

  async keep(): Promise<void> {
    await this.#calls;
    if (this.#state === 'open') this.#state = 'closed';
  }

  async #writeAll(block: Buffer, bytes: number): Promise<Written> {
    for (let at = 0; at < bytes; ) {
      const record = readRecord(block, at);
      if (this.#state !== 'open' || record.entry !== 0) throw new TransferFailure('out-of-order', 'The sender sent more than the file.');
      if (record.kind === 'data') await this.#data(block, record);
      else this.#end(record);
      at = record.next;
    }
    const written = this.#position - this.#had;
    return { bytes: written, had: this.#had, ended: this.ended, full: false };
  }

  async #data(block: Buffer, { offset, from, to }: Extract<BlockRecord, { kind: 'data' }>): Promise<void> {
    if (offset !== this.#position) {
      if (this.#begun || offset !== 0) throw new TransferFailure('out-of-order', 'The sender left out a part of the file.');
      throw new TransferFailure('source-changed', 'The sender’s file is no longer the one of which the receiver has passed on the beginning.');
    }
    this.#begun = true;
    const size = this.#wanted.size ?? Number.MAX_SAFE_INTEGER;
    if (offset + to - from > size) throw new TransferFailure('size-mismatch', 'The sender sent more than it had offered.');
    const bytes = block.subarray(from, to);
    await this.#pass(bytes);
    this.#hasher.update(bytes);
    this.#position += bytes.length;
  }

  #end({ status, blake3 }: Extract<BlockRecord, { kind: 'end' }>): void {
    if (status === EntryStatus.unreadable) throw new TransferFailure('read-failed', 'The sender cannot read the file any more.');
    if (this.#wanted.size !== null && this.#position < this.#wanted.size) throw new TransferFailure('size-mismatch', 'The sender sent less than it had offered.');
    if (this.#hasher.digest('hex') !== blake3) throw new TransferFailure('hash-mismatch', 'What the receiver passed on is not what the sender read: its hash is another.');
    this.#state = 'ended';
  }

  /** Resolves when the stream has passed the bytes on: then the block may be used again, and only then. */
  async #pass(bytes: Buffer): Promise<void> {
    this.#since = performance.now();
    try {
      await new Promise<void>((resolve, reject) => {
        const failed = this.#error();
        if (failed !== undefined) reject(failed);
        else this.#out.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
      });
    } catch (cause) {
      throw new TransferFailure('write-failed', `The receiver could not pass the file on (${systemCode(cause) ?? 'closed'}).`, { cause });
    } finally {
      this.#since = undefined;
    }
  }
}
