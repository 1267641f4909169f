/**
 * Lines on stdin: cut anywhere, limited in length.
 */
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { InputLine } from '../../src/terminal/input-lines.js';
import { inputLines } from '../../src/terminal/input-lines.js';

const never = new AbortController().signal;

async function read(chunks: readonly Buffer[], maxBytes?: number): Promise<InputLine[]> {
  const lines: InputLine[] = [];
  for await (const line of inputLines(Readable.from(chunks, { objectMode: false }), never, maxBytes)) lines.push(line);
  return lines;
}

describe('lines of input', () => {
  it('are the same however the bytes are cut', async () => {
    const text = 'first\r\nzweite Zeile äöü 漢字 😀\n\nlast without end';
    const lines = ['first', 'zweite Zeile äöü 漢字 😀', '', 'last without end'].map((line) => ({ line }));
    const bytes = Buffer.from(text);
    assert.deepEqual(await read([bytes]), lines);
    assert.deepEqual(await read([...bytes].map((byte) => Buffer.of(byte))), lines);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length - 1 }), async (cut) => {
        assert.deepEqual(await read([bytes.subarray(0, cut), bytes.subarray(cut)]), lines);
      }),
    );
  });

  it('beyond the limit are told and dropped, and the next is read', async () => {
    assert.deepEqual(await read([Buffer.from('12345\n123456\n12\n')], 5), [{ line: '12345' }, { tooLong: true }, { line: '12' }]);
    assert.deepEqual(await read([Buffer.from('123'), Buffer.from('456'), Buffer.from('789')], 5), [{ tooLong: true }]);
  });

  it('end when they are no longer wanted, even while none comes', async () => {
    const stop = new AbortController();
    const stream = new PassThrough();
    stream.write('one\n');
    const lines: InputLine[] = [];
    for await (const line of inputLines(stream, stop.signal)) {
      lines.push(line);
      setImmediate(() => stop.abort());
    }
    assert.deepEqual(lines, [{ line: 'one' }]);
    assert.ok(stream.destroyed);
  });
});
