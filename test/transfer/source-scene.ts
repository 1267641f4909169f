/** Files and folders to be read for sending, made for one test file and removed behind it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import type { Entry } from '../../src/protocol/peer-messages.js';
import { systemSourceFs, type SourceFs } from '../../src/transfer/source/source-fs.js';
import { SourceReader } from '../../src/transfer/source/source-reader.js';
import { block, hash, Receiver, takeAll, TRANSFER } from './source/sent-frames.js';

export const KiB = 1024;
export const MiB = 1024 * KiB;
const root = mkdtempSync(join(tmpdir(), 'p2p-source-'));
after(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

export function patterned(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, i) => i * 2654435761).buffer, 0, bytes);
}

/** Files with these contents in a folder of their own; a path that ends with `/` is an empty folder. */
export function place(files: Record<string, Buffer | string>): string {
  const top = join(root, String((places += 1)));
  mkdirSync(top);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(top, path.endsWith('/') ? path : dirname(path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(top, path), content);
  }
  return top;
}

export function opened(path: string, fs: SourceFs = systemSourceFs): { reader: SourceReader; skipped: string[] } {
  const skipped: string[] = [];
  const reader = new SourceReader({ path, fs, now: () => 0, onSkip: (shown, reason) => skipped.push(`${shown}: ${reason}`) });
  reader.open();
  return { reader, skipped };
}

/** Every entry of the list from where it stands. */
export function listed(reader: SourceReader): Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    const part = reader.list();
    entries.push(...part.entries);
    if (part.last) return entries;
  }
}

/** Reads all that is planned. */
export function received(reader: SourceReader, into = new Receiver(), maxBytes = MiB): Receiver {
  const buffer = block();
  for (;;) {
    const batch = reader.read(buffer, TRANSFER, maxBytes);
    assert.ok(batch.bytes <= maxBytes);
    into.take(buffer, batch);
    if (batch.idle) return into;
  }
}

/** Sends one file of which the receiver has `points`. */
export function sendFile(path: string, lengths: readonly number[] = [], content: Buffer = Buffer.alloc(0), fs = systemSourceFs): Receiver {
  const { reader } = opened(path, fs);
  reader.start();
  const points = lengths.map((bytes) => ({ bytes, blake3: hash(content.subarray(0, bytes)) }));
  reader.plan({ ...takeAll(0, 1), have: points.length === 0 ? [] : [{ entry: 0, points }] });
  return received(reader);
}
