/** What a receiver has already: proven and not sent again, on the first link and after a broken one. */
import assert from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemSourceFs } from '../../../src/transfer/source/source-fs.js';
import type { SourceReader } from '../../../src/transfer/source/source-reader.js';
import { block, disk, hash, type Receiver, takeAll, TRANSFER } from './sent-frames.js';
import { KiB, listed, MiB, opened, patterned, place, received, sendFile } from '../source-scene.js';

describe('what a receiver has of a file', () => {
  const content = patterned(5 * MiB + 5);
  const path = () => join(place({ file: content }), 'file');

  it('is not sent again where its hash is right', () => {
    const got = sendFile(path(), [MiB, 3 * MiB + 3], content);
    got.mustHave(0, content, 3 * MiB + 3);
    assert.deepEqual([got.had, got.payload], [3 * MiB + 3, 2 * MiB + 2]);
  });

  it('may be all of it', () => {
    const got = sendFile(path(), [content.length], content);
    got.mustHave(0, content, content.length);
    assert.deepEqual([got.had, got.payload, got.content(0).length], [content.length, 0, 0]);
  });

  it('is right up to the last point in front of the first wrong one', () => {
    const other = Buffer.from(content);
    other[2 * MiB] = 1 ^ (other[2 * MiB] ?? 0);
    const got = sendFile(path(), [MiB, 2 * MiB, 2 * MiB + 1, 4 * MiB], other);
    got.mustHave(0, content, 2 * MiB);
    assert.equal(got.had, 2 * MiB);
  });

  it('is sent from the beginning where no point is right, or points lie behind the end', () => {
    const other = Buffer.concat([Buffer.from('x'), content, content]);
    const got = sendFile(path(), [1, MiB, 6 * MiB], other);
    got.mustHave(0, content);
    assert.equal(got.had, 0);
  });

  it('is compared in small pieces of work', () => {
    const big = patterned(20 * MiB);
    let read = 0;
    const fs = disk({ read: (fd, buffer, offset, bytes, position) => ((read += bytes), systemSourceFs.read(fd, buffer, offset, bytes, position)) });
    const { reader } = opened(join(place({ file: big }), 'file'), fs);
    reader.start();
    reader.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: big.length, blake3: hash(big) }] }] });
    const batch = reader.read(block(), TRANSFER, MiB);
    assert.deepEqual([batch.bytes, batch.idle], [0, false]);
    assert.ok(read <= 8 * MiB, `${read} bytes in one call`);
    received(reader).mustHave(0, big, big.length);
  });
});

describe('going on after a broken link', () => {
  const content = patterned(12 * MiB);

  /** A reader that has sent `bytes` of a file, and counts what it reads from now on. */
  function interrupted(bytes: number): { reader: SourceReader; path: string; read: () => number } {
    let read = 0;
    const fs = disk({ read: (fd, buffer, offset, length, position) => ((read += length), systemSourceFs.read(fd, buffer, offset, length, position)) });
    const path = join(place({ file: content }), 'file');
    const { reader } = opened(path, fs);
    reader.start();
    reader.plan(takeAll(0, 1));
    while (read < bytes) reader.read(block(), TRANSFER, MiB);
    read = 0;
    return { reader, path, read: () => read };
  }

  function goOn(reader: SourceReader, from: number, blake3 = hash(content.subarray(0, from))): Receiver {
    reader.start();
    reader.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: from, blake3 }] }] });
    return received(reader);
  }

  it('does not read again what was proven when it was sent', () => {
    const { reader, read } = interrupted(10 * MiB);
    goOn(reader, 7 * MiB).mustHave(0, content, 7 * MiB);
    assert.equal(read(), content.length - 7 * MiB);
  });

  it('does so any number of times', () => {
    const { reader, read } = interrupted(10 * MiB);
    for (const from of [8, 6, 9]) {
      reader.start();
      reader.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: from * MiB, blake3: hash(content.subarray(0, from * MiB)) }] }] });
      reader.read(block(), TRANSFER, MiB);
    }
    assert.ok(read() <= 3 * MiB, `${read()} bytes for three blocks`);
    goOn(reader, 10 * MiB - 256 * KiB).mustHave(0, content, 10 * MiB - 256 * KiB);
  });

  it('does not read a file again that was sent whole', () => {
    const { reader, read } = interrupted(content.length);
    received(reader);
    goOn(reader, content.length).mustHave(0, content, content.length);
    assert.equal(read(), 0);
  });

  it('does not read a file of a folder again, even when the next was begun', () => {
    let read = 0;
    const fs = disk({ read: (fd, buffer, offset, length, position) => ((read += length), systemSourceFs.read(fd, buffer, offset, length, position)) });
    const { reader } = opened(place({ a: content, b: content }), fs);
    reader.start();
    listed(reader);
    reader.plan(takeAll(0, 2));
    while (read < 15 * MiB) reader.read(block(), TRANSFER, MiB);
    read = 0;
    reader.start();
    listed(reader);
    reader.plan({ ...takeAll(0, 2), have: [{ entry: 0, points: [{ bytes: 9 * MiB, blake3: hash(content.subarray(0, 9 * MiB)) }] }] });
    const got = received(reader);
    got.mustHave(0, content, 9 * MiB);
    got.mustHave(1, content);
    assert.equal(read, 15 * MiB);
  });

  it('proves any other point by reading', () => {
    const { reader, read } = interrupted(10 * MiB);
    goOn(reader, 7 * MiB + 1).mustHave(0, content, 7 * MiB + 1);
    assert.equal(read(), content.length);
  });

  it('begins anew where the receiver has something else', () => {
    const { reader } = interrupted(10 * MiB);
    goOn(reader, 7 * MiB, hash(Buffer.from('else'))).mustHave(0, content);
  });

  it('begins anew where the receiver has nothing', () => {
    const { reader } = interrupted(10 * MiB);
    reader.start();
    reader.plan(takeAll(0, 1));
    received(reader).mustHave(0, content);
  });

  it('fails where the file has changed', () => {
    const { reader, path } = interrupted(10 * MiB);
    utimesSync(path, 1, 1);
    assert.throws(() => reader.start(), { code: 'source-changed' });
    const other = interrupted(10 * MiB);
    writeFileSync(other.path, 'short');
    assert.throws(() => other.reader.start(), { code: 'source-changed' });
    const gone = interrupted(10 * MiB);
    rmSync(gone.path);
    assert.throws(() => gone.reader.start(), { code: 'read-failed' });
  });
});
