/** Records in a block: what goes in comes out, joined where it belongs together, and never beyond the block. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { readRecord, RecordBlock, type BlockRecord } from '../../../src/transfer/store/block-filler.js';

function records(block: Buffer, bytes: number): BlockRecord[] {
  const found: BlockRecord[] = [];
  for (let at = 0; at < bytes; at = found.at(-1)!.next) found.push(readRecord(block, at));
  return found;
}

const hash = 'ab'.repeat(32);

describe('a block of records', () => {
  it('joins pieces that follow each other in one file', () => {
    const filler = new RecordBlock(Buffer.alloc(1000));
    filler.data(3, 100, Buffer.from('abc'));
    filler.data(3, 103, Buffer.from('def'));
    const [only, ...rest] = records(filler.block, filler.bytes);
    assert.deepEqual(rest, []);
    assert.ok(only?.kind === 'data');
    assert.deepEqual([only.entry, only.offset, filler.block.toString('latin1', only.from, only.to)], [3, 100, 'abcdef']);
  });

  it('keeps apart what leaves a gap, belongs to another file, or follows an end', () => {
    const filler = new RecordBlock(Buffer.alloc(1000));
    filler.data(0, 0, Buffer.from('a'));
    filler.data(0, 2, Buffer.from('b'));
    filler.data(1, 3, Buffer.from('c'));
    filler.end(1, EntryStatus.whole, hash);
    filler.data(1, 4, Buffer.from('d'));
    assert.deepEqual(records(filler.block, filler.bytes).map((one) => one.kind), ['data', 'data', 'data', 'end', 'data']);
  });

  it('carries offsets up to 2^53 − 1, statuses and hashes', () => {
    const filler = new RecordBlock(Buffer.alloc(100));
    filler.data(0xffffffff, Number.MAX_SAFE_INTEGER - 1, Buffer.from('x'));
    filler.end(0xffffffff, EntryStatus.unreadable, hash);
    const [data, end] = records(filler.block, filler.bytes);
    assert.ok(data?.kind === 'data' && end?.kind === 'end');
    assert.deepEqual([data.entry, data.offset], [0xffffffff, Number.MAX_SAFE_INTEGER - 1]);
    assert.deepEqual([end.entry, end.status, end.blake3], [0xffffffff, EntryStatus.unreadable, hash]);
  });

  it('takes what there is room for, and says how much', () => {
    const filler = new RecordBlock(Buffer.alloc(20));
    assert.equal(filler.data(0, 0, Buffer.from('abcdef')), 4);
    assert.equal(filler.data(0, 4, Buffer.from('ef')), 0);
    assert.equal(filler.end(0, EntryStatus.whole, hash), false);
    assert.equal(filler.bytes, 20);
    assert.equal(new RecordBlock(Buffer.alloc(16)).data(0, 0, Buffer.from('a')), 0);
  });

  it('gives back any sequence of pieces, bytes and order kept', () => {
    const piece = fc.record({ entry: fc.nat(3), gap: fc.nat(1), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }), end: fc.boolean() });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 600 }), (pieces, room) => {
        const filler = new RecordBlock(Buffer.alloc(room));
        const put: string[] = [];
        const at = new Map<number, number>();
        for (const { entry, gap, bytes, end } of pieces) {
          const offset = (at.get(entry) ?? 0) + gap;
          const taken = filler.data(entry, offset, bytes);
          at.set(entry, offset + taken);
          for (let n = 0; n < taken; n += 1) put.push(`${entry} ${offset + n} ${String(bytes[n])}`);
          if (end && filler.end(entry, EntryStatus.whole, hash)) put.push(`end ${entry}`);
        }
        const got = records(filler.block, filler.bytes).flatMap((one) =>
          one.kind === 'end' ? [`end ${one.entry}`] : [...filler.block.subarray(one.from, one.to)].map((byte, n) => `${one.entry} ${one.offset + n} ${byte}`),
        );
        assert.deepEqual(got, put);
      }),
    );
  });
});
