/** Files and folders read for sending: what is offered, listed, compared and put into frames. */
import assert from 'node:assert/strict';
import { symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES } from '../../../src/protocol/frames.js';
import { frameLimits, transferLimits } from '../../../src/protocol/limits.js';
import { encodePeerMessage } from '../../../src/protocol/peer-messages.js';
import { SettledHash } from '../../../src/transfer/source/entry-list.js';
import { systemSourceFs } from '../../../src/transfer/source/source-fs.js';
import { block, disk, hash, Receiver, takeAll, told, TRANSFER } from './sent-frames.js';
import { KiB, listed, MiB, opened, patterned, place, received, sendFile } from '../source-scene.js';

describe('what is offered', () => {
  it('is a file with size and time in whole milliseconds', () => {
    const top = place({ 'a.txt': 'hello' });
    utimesSync(join(top, 'a.txt'), 1234567.8915, 1234567.8915);
    assert.deepEqual(opened(join(top, 'a.txt')).reader.count(), { kind: 'file', name: 'a.txt', size: 5, files: 1, counted: true, modified: 1234567891 });
  });

  it('is a folder, which is counted piece by piece', () => {
    const top = place({ 'a/b': '12345', 'a/c': '678', 'd/': '' });
    const { reader } = opened(top);
    let facts = reader.count();
    while (!facts.counted) facts = reader.count();
    assert.deepEqual([facts.kind, facts.size, facts.files], ['folder', 8, 2]);
  });

  it('may be named by a symbolic link, a relative path or one with dots at its end', () => {
    const top = place({ 'real/file': 'x' });
    symlinkSync('real', join(top, 'link'));
    symlinkSync('real/file', join(top, 'file-link'));
    const names = ['link', 'link/', 'file-link', 'real/.', 'real/../real'].map((path) => {
      const { reader } = opened(join(top, path));
      return reader.count().name;
    });
    assert.deepEqual(names, ['link', 'link', 'file-link', 'real', 'real']);
    assert.deepEqual(told(opened(join(top, 'link')).reader.survey(0).entries), ['file 1']);
  });

  it('cannot be a device or what is not there, and tells why', () => {
    const top = place({ file: '' });
    assert.throws(() => opened(join(top, 'nothing')), { code: 'no-such-file' });
    assert.throws(() => opened(join(top, 'file', 'x')), { code: 'no-such-file' });
    assert.throws(() => opened('/dev/zero'), { code: 'not-a-file' });
  });
});

describe('a file', () => {
  for (const bytes of [0, 1, 256 * KiB, 256 * KiB + 1, MiB, 3 * MiB + 17]) {
    it(`of ${bytes} bytes is sent whole, with its hash`, () => {
      const content = patterned(bytes);
      const got = sendFile(join(place({ file: content }), 'file'));
      got.mustHave(0, content);
      assert.deepEqual([got.blake3, got.payload, got.ended, got.had], [hash(content), bytes, 1, 0]);
    });
  }

  it('is read no further than asked, however little that is', () => {
    const content = patterned(1000);
    const { reader } = opened(join(place({ file: content }), 'file'));
    reader.start();
    reader.plan(takeAll(0, 1));
    received(reader, new Receiver(), 64).mustHave(0, content);
  });

  it('is read in one piece after the other where the system gives less than asked', () => {
    const content = patterned(700 * KiB);
    const fs = disk({ read: (fd, buffer, offset, bytes, position) => systemSourceFs.read(fd, buffer, offset, Math.min(bytes, 100_003), position) });
    sendFile(join(place({ file: content }), 'file'), [], content, fs).mustHave(0, content);
  });

  it('is open only between the first read and the last', () => {
    let open = 0;
    const fs = disk({
      openFile: (...args) => {
        open += 1;
        return systemSourceFs.openFile(...args);
      },
      close: (fd) => {
        open -= 1;
        systemSourceFs.close(fd);
      },
    });
    const { reader } = opened(join(place({ file: patterned(2 * MiB) }), 'file'), fs);
    reader.start();
    reader.plan(takeAll(0, 1));
    assert.equal(open, 0);
    reader.read(block(), TRANSFER, MiB);
    assert.equal(open, 1);
    received(reader);
    assert.equal(open, 0);
    reader.start();
    reader.plan(takeAll(0, 1));
    reader.read(block(), TRANSFER, MiB);
    reader.close();
    reader.close();
    assert.equal(open, 0);
  });
});

describe('the list of a folder', () => {
  it('has files behind the folder that they are in', () => {
    const { reader } = opened(place({ b: '1', 'x/y/z': '22', 'x/a': '', 'e/': '' }));
    reader.start();
    assert.deepEqual(told(listed(reader)), ['b 1', 'e/', 'x/', 'a 0', 'x/y/', 'z 2']);
  });

  it('comes in parts that fit into a message', () => {
    const many = Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`a/${String(i).padStart(200, '"')}`, '']));
    const { reader } = opened(place(many));
    reader.start();
    let next = 0;
    for (let last = false; !last; ) {
      const part = reader.list();
      assert.equal(part.first, next);
      assert.ok(part.entries.length <= transferLimits.entriesPerMessage);
      const message = encodePeerMessage({ type: 'entries', transfer: 2 ** 32 - 1, first: part.first, entries: [...part.entries], last: part.last });
      assert.ok(message.length <= frameLimits.controlBytes);
      next += part.entries.length;
      last = part.last;
    }
    assert.equal(next, 1101);
  });

  it('can be looked at before, without being taken from', () => {
    const { reader } = opened(place({ a: '1', 'x/b': '22', 'y/c': '333' }));
    assert.deepEqual(told(reader.survey(0).entries), ['a 1', 'x/', 'b 2', 'y/', 'c 3']);
    assert.deepEqual([told(reader.survey(5).entries), reader.survey(5).last], [[], true]);
    assert.deepEqual(told(reader.survey(3).entries), ['y/', 'c 3']);
    reader.start();
    assert.equal(listed(reader).length, 5);
  });

  it('begins behind what the receiver has settled', () => {
    const { reader } = opened(place({ a: '1', 'x/b': '22', 'x/c': '333', 'y/d': '4444' }));
    reader.start();
    const all = listed(reader);
    const settled = new SettledHash();
    for (const entry of all.slice(0, 3)) settled.add(entry);
    let done = reader.start({ entries: 3, blake3: settled.digest() });
    while (!done) done = reader.settle();
    const part = reader.list();
    assert.deepEqual([part.first, told(part.entries)], [3, ['c 3', 'y/', 'd 4']]);
    reader.plan(takeAll(3, 3));
    const got = received(reader);
    got.mustHave(3, Buffer.from('333'));
    got.mustHave(5, Buffer.from('4444'));
    assert.deepEqual([got.had, got.ended, [...got.entries.keys()]], [3, 6, [3, 5]]);
  });

  it('begins at the beginning where that has changed, or never was so long', () => {
    const top = place({ a: '1', 'x/b': '22' });
    const { reader } = opened(top);
    reader.start();
    const settled = new SettledHash();
    for (const entry of listed(reader)) settled.add(entry);
    for (const claim of [{ entries: 9, blake3: settled.digest() }, { entries: 2, blake3: settled.digest() }]) {
      let done = reader.start(claim);
      while (!done) done = reader.settle();
      assert.equal(reader.list().first, 0);
    }
    utimesSync(join(top, 'a'), 5, 5);
    let done = reader.start({ entries: 3, blake3: settled.digest() });
    while (!done) done = reader.settle();
    const part = reader.list();
    assert.deepEqual([part.first, told(part.entries)], [0, ['a 1', 'x/', 'b 2']]);
  });
});

describe('files of a folder', () => {
  it('are sent as planned: what is skipped is left out, what is there not sent again', () => {
    const big = patterned(2 * MiB);
    const { reader } = opened(place({ a: 'skipped', b: 'there', c: big, 'd/e': 'new' }));
    reader.start();
    listed(reader);
    const there = Buffer.from('there');
    const have = [{ entry: 1, points: [{ bytes: 5, blake3: hash(there) }] }, { entry: 2, points: [{ bytes: MiB, blake3: hash(big.subarray(0, MiB)) }] }];
    reader.plan({ first: 0, count: 4, have, skip: [0] });
    const got = received(reader);
    got.mustHave(1, there, 5);
    got.mustHave(2, big, MiB);
    assert.deepEqual([got.had, got.ended, got.entries.has(0), got.blake3], [5 + MiB, 4, false, undefined]);
    reader.plan(takeAll(4, 1));
    received(reader, got).mustHave(4, Buffer.from('new'));
    assert.equal(got.ended, 5);
  });

  it('share blocks: many small ones need few', () => {
    const files = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${i % 10}/${i}`, `content ${i}`]));
    const { reader } = opened(place(files));
    reader.start();
    const entries = listed(reader);
    reader.plan(takeAll(0, entries.length));
    const got = new Receiver();
    let calls = 0;
    const buffer = block();
    for (let idle = false; !idle; calls += 1) {
      const batch = reader.read(buffer, TRANSFER, MiB);
      got.take(buffer, batch);
      idle = batch.idle;
    }
    assert.ok(calls < 20, `${calls} blocks`);
    entries.forEach((entry, i) => {
      if ('name' in entry) got.mustHave(i, Buffer.from(`content ${entry.name}`));
    });
    assert.deepEqual([got.ended, got.entries.size], [3010, 3000]);
  });

  it('are no longer than a frame and its end where there is room for no more', () => {
    const { reader } = opened(place({ a: 'aa', b: 'bb' }));
    reader.start();
    listed(reader);
    reader.plan(takeAll(0, 2));
    const batch = reader.read(block(), TRANSFER, DATA_PREFIX_BYTES + 2 + END_FRAME_BYTES + 20);
    assert.deepEqual([batch.bytes, batch.ended, batch.idle], [DATA_PREFIX_BYTES + 2 + END_FRAME_BYTES, 1, false]);
  });

  it('that are planned but were not listed end the transfer', () => {
    const { reader } = opened(place({ a: 'aa', b: 'bb' }));
    reader.start();
    listed(reader);
    for (const plan of [takeAll(0, 3), takeAll(1, 1), { ...takeAll(0, 1), skip: [1] }]) {
      assert.throws(() => reader.plan(plan), { code: 'out-of-order' });
    }
  });
});
