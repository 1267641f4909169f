/**
 * What a source sends, put together again as a receiver would, and a disk whose calls can fail.
 */
import assert from 'node:assert/strict';
import { blake3 } from '@napi-rs/blake-hash';
import { EntryStatus, FrameDecoder } from '../../../src/protocol/frames.js';
import { frameLimits } from '../../../src/protocol/limits.js';
import type { Entry } from '../../../src/protocol/peer-messages.js';
import { systemSourceFs, type SourceFs } from '../../../src/transfer/source/source-fs.js';
import type { Plan, SourceBatch } from '../../../src/transfer/source/source.js';

export const TRANSFER = 7;

/** A block as large as those of the pool. */
export function block(bytes = 1024 * 1024 + 128): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/** A plan that takes everything from the beginning. */
export function takeAll(first: number, count: number): Plan {
  return { first, count, have: [], skip: [] };
}

export function hash(bytes: Uint8Array): string {
  return blake3(bytes).toString('hex');
}

/** Entries as text, for comparisons. */
export function told(entries: readonly Entry[]): string[] {
  return entries.map((entry) => ('folder' in entry ? `${entry.folder.join('/')}/` : `${entry.name} ${entry.size}`));
}

/** The content of one entry, as far as it was sent. */
export interface Received {
  /** Offset of the first byte sent; undefined where no data came. */
  from: number | undefined;
  bytes: Buffer[];
  length: number;
  status: EntryStatus | undefined;
  blake3: string;
}

/** Decodes batches; fails where frames have gaps, overlap, or come out of the order of entries. */
export class Receiver {
  readonly entries = new Map<number, Received>();
  had = 0;
  ended = 0;
  payload = 0;
  blake3: string | undefined;
  readonly #decoder = new FrameDecoder({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
  #current = 0;

  take(from: Buffer, batch: SourceBatch): void {
    this.had += batch.had;
    this.payload += batch.payload;
    assert.ok(batch.ended >= this.ended);
    this.ended = batch.ended;
    this.blake3 ??= batch.blake3;
    this.#decoder.push(Buffer.from(from.subarray(0, batch.bytes)));
    for (let event = this.#decoder.next(); event !== undefined; event = this.#decoder.next()) {
      assert.ok(event.kind !== 'json' && event.transfer === TRANSFER && event.entry >= this.#current);
      this.#current = event.entry;
      const entry = this.entries.get(event.entry) ?? { from: undefined, bytes: [], length: 0, status: undefined, blake3: '' };
      this.entries.set(event.entry, entry);
      assert.equal(entry.status, undefined, 'a frame behind the end frame');
      if (event.kind === 'end') Object.assign(entry, { status: event.status, blake3: event.blake3 });
      else {
        entry.from ??= event.offset;
        assert.equal(event.offset, entry.from + entry.length);
        entry.bytes.push(event.bytes as Buffer);
        entry.length += event.bytes.length;
      }
    }
    assert.ok(this.#decoder.atBoundary, 'an unfinished frame in a batch');
  }

  content(entry: number): Buffer {
    return Buffer.concat(this.entries.get(entry)?.bytes ?? []);
  }

  /** Fails unless the entry has ended whole, with the right hash and, behind the first `had` bytes, the right content. */
  mustHave(entry: number, content: Buffer, had = 0): void {
    const received = this.entries.get(entry);
    assert.deepEqual([received?.status, received?.blake3], [EntryStatus.whole, hash(content)]);
    if (had < content.length) assert.equal(received?.from, had);
    assert.ok(this.content(entry).equals(content.subarray(had)), `content of entry ${entry}`);
  }
}

/** An error as the system raises it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** The real disk, some of whose calls are replaced. */
export function disk(changes: Partial<SourceFs>): SourceFs {
  return { ...systemSourceFs, ...changes };
}
