/** Frames (PROTOCOL.md 2): every frame however it is cut, every refusal, and what a half-sent frame may cost (HOSTILE 3, 4). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES, EntryStatus, FrameDecoder, jsonFrame, writeDataPrefix, writeEndFrame } from '../../src/protocol/frames.js';
import type { EntryEnd, FrameDecoderOptions } from '../../src/protocol/frames.js';
import { frameLimits } from '../../src/protocol/limits.js';
import { beforeLogin, byteByByte, cutAt, hex, joined, openLink, readFrames, textFrame } from './reading.js';
import type { WholeFrame } from './reading.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function dataFrame(transfer: number, entry: number, offset: number, bytes: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(DATA_PREFIX_BYTES + bytes.length);
  writeDataPrefix(frame, 0, { transfer, entry, offset }, bytes.length);
  frame.set(bytes, DATA_PREFIX_BYTES);
  return frame;
}

function endFrame(end: EntryEnd): Uint8Array {
  const frame = Buffer.alloc(END_FRAME_BYTES);
  writeEndFrame(frame, 0, end);
  return frame;
}

const hash = '0123456789abcdef'.repeat(4);
const wholeEnd: EntryEnd = { transfer: 7, entry: 3, status: EntryStatus.whole, blake3: hash };

/** The five bytes in front of every body, so that a length can be claimed without sending what it counts. */
function head(length: number, kind: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt8(kind, 4);
  return bytes;
}

const jsonOf = (text: string): WholeFrame => ({ kind: 'json', body: hex(Buffer.from(text)) });

function badFrame(error: unknown): boolean {
  return error instanceof RemoteViolation && error.code === 'bad-frame';
}

const largest = Buffer.alloc(frameLimits.dataPayloadBytes, 0x5a);

const legal: { name: string; options: FrameDecoderOptions; bytes: Uint8Array; frames: WholeFrame[] }[] = [
  { name: 'nothing', options: beforeLogin, bytes: new Uint8Array(0), frames: [] },
  { name: 'the bytes of the specification', options: beforeLogin, bytes: Buffer.from('00000003007b7d', 'hex'), frames: [jsonOf('{}')] },
  { name: 'the shortest body', options: beforeLogin, bytes: textFrame('x'), frames: [jsonOf('x')] },
  {
    name: 'the longest frame before login',
    options: beforeLogin,
    bytes: textFrame('x'.repeat(frameLimits.beforeLoginBytes - 1)),
    frames: [jsonOf('x'.repeat(frameLimits.beforeLoginBytes - 1))],
  },
  {
    name: 'the longest frame after login',
    options: openLink,
    bytes: textFrame('x'.repeat(frameLimits.controlBytes - 1)),
    frames: [jsonOf('x'.repeat(frameLimits.controlBytes - 1))],
  },
  {
    name: 'one byte of file data, as the specification lays it out',
    options: openLink,
    bytes: Buffer.from('0000001201' + '00000007' + '00000003' + '0000000100000002' + 'ff', 'hex'),
    frames: [{ kind: 'data', transfer: 7, entry: 3, offset: 2 ** 32 + 2, bytes: 'ff' }],
  },
  {
    name: 'the largest data frame',
    options: openLink,
    bytes: dataFrame(0xffff_ffff, 0xffff_ffff, 0, largest),
    frames: [{ kind: 'data', transfer: 0xffff_ffff, entry: 0xffff_ffff, offset: 0, bytes: hex(largest) }],
  },
  {
    name: 'data up to the largest file size',
    options: openLink,
    bytes: dataFrame(1, 0, Number.MAX_SAFE_INTEGER - 3, Buffer.from('abc')),
    frames: [{ kind: 'data', transfer: 1, entry: 0, offset: Number.MAX_SAFE_INTEGER - 3, bytes: hex(Buffer.from('abc')) }],
  },
  {
    name: 'the end of an entry, as the specification lays it out',
    options: openLink,
    bytes: Buffer.from('0000002a02' + '00000007' + '00000003' + '00' + hash, 'hex'),
    frames: [{ kind: 'end', ...wholeEnd }],
  },
  {
    name: 'the end of an entry that could not be read',
    options: openLink,
    bytes: Buffer.from('0000002a02' + 'ffffffff' + '0007a120' + '01' + '00'.repeat(32), 'hex'),
    frames: [{ kind: 'end', transfer: 0xffff_ffff, entry: 500_000, status: EntryStatus.unreadable, blake3: '00'.repeat(32) }],
  },
  {
    name: 'chat between the data of two transfers',
    options: openLink,
    bytes: Buffer.concat([dataFrame(1, 0, 0, Buffer.from('one')), textFrame('{"type":"ping"}'), dataFrame(2, 0, 9, Buffer.from('two'))]),
    frames: [
      { kind: 'data', transfer: 1, entry: 0, offset: 0, bytes: hex(Buffer.from('one')) },
      jsonOf('{"type":"ping"}'),
      { kind: 'data', transfer: 2, entry: 0, offset: 9, bytes: hex(Buffer.from('two')) },
    ],
  },
  {
    name: 'two small files of a folder, one behind the other',
    options: openLink,
    bytes: Buffer.concat([
      dataFrame(1, 4, 0, Buffer.from('one')),
      endFrame({ ...wholeEnd, transfer: 1, entry: 4 }),
      dataFrame(1, 5, 0, Buffer.from('two')),
      endFrame({ ...wholeEnd, transfer: 1, entry: 5 }),
    ]),
    frames: [
      { kind: 'data', transfer: 1, entry: 4, offset: 0, bytes: hex(Buffer.from('one')) },
      { kind: 'end', ...wholeEnd, transfer: 1, entry: 4 },
      { kind: 'data', transfer: 1, entry: 5, offset: 0, bytes: hex(Buffer.from('two')) },
      { kind: 'end', ...wholeEnd, transfer: 1, entry: 5 },
    ],
  },
];

const refused: { name: string; options: FrameDecoderOptions; bytes: Uint8Array }[] = [
  ...[0, 1, frameLimits.beforeLoginBytes + 1, frameLimits.controlBytes, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff].map((length) => ({
    name: `a JSON length of ${length} before login`,
    options: beforeLogin,
    bytes: head(length, 0),
  })),
  ...[0, 1, frameLimits.controlBytes + 1, frameLimits.dataPayloadBytes, 0xffff_ffff].map((length) => ({
    name: `a JSON length of ${length} on an open link`,
    options: openLink,
    bytes: head(length, 0),
  })),
  ...[0, 1, 13, 16, 17, frameLimits.dataPayloadBytes + 18, 0xffff_ffff].map((length) => ({
    name: `a data length of ${length}`,
    options: openLink,
    bytes: head(length, 1),
  })),
  ...[0, 1, 41, 43, frameLimits.controlBytes, 0xffff_ffff].map((length) => ({
    name: `an end of ${length} bytes`,
    options: openLink,
    bytes: head(length, 2),
  })),
  ...[2, 3, 0xff].map((status) => ({
    name: `an end of status ${status}`,
    options: openLink,
    bytes: Buffer.concat([head(42, 2), Buffer.alloc(8), Uint8Array.of(status), Buffer.alloc(32)]),
  })),
  { name: 'data before it is allowed', options: beforeLogin, bytes: dataFrame(1, 0, 0, Buffer.from('x')) },
  { name: 'an end before it is allowed', options: beforeLogin, bytes: endFrame(wholeEnd) },
  ...[3, 0x47, 0xff].map((kind) => ({ name: `kind ${kind}`, options: openLink, bytes: head(10, kind) })),
  { name: 'an HTTP request', options: beforeLogin, bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n') },
  { name: 'an offset of 2^53', options: openLink, bytes: Buffer.from('0000001201' + '00000001' + '00000000' + '0020000000000000' + 'ff', 'hex') },
  { name: 'an offset of 2^64 - 1', options: openLink, bytes: Buffer.from('0000001201' + '00000001' + '00000000' + 'ffffffffffffffff' + 'ff', 'hex') },
  { name: 'data that would end beyond 2^53 - 1', options: openLink, bytes: Buffer.from('0000001301' + '00000001' + '00000000' + '001ffffffffffffe' + 'ffff', 'hex') },
];

describe('legal frames', () => {
  for (const { name, options, bytes, frames } of legal) {
    it(`${name}: whole`, () => assert.deepEqual(readFrames([bytes], options), frames));
    it(`${name}: byte by byte`, () => assert.deepEqual(readFrames(byteByByte(bytes), options), frames));
    it(`${name}: with trailing data`, () => {
      const next = textFrame('{"n":1}');
      assert.deepEqual(readFrames([Buffer.concat([bytes, next])], options), [...frames, jsonOf('{"n":1}')]);
      assert.deepEqual(readFrames([Buffer.concat([bytes, next.subarray(0, 6)])], options), frames);
    });
  }

  it('any sequence, cut anywhere, is read as it was written', () => {
    const anyFrame = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }).map((body) => ({
        bytes: jsonFrame(body),
        frame: { kind: 'json', body: hex(body) } satisfies WholeFrame,
      })),
      fc
        .record({
          transfer: fc.integer({ min: 1, max: 0xffff_ffff }),
          entry: fc.nat({ max: 0xffff_ffff }),
          offset: fc.maxSafeNat().map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER - 300)),
          payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
        })
        .map(({ transfer, entry, offset, payload }) => ({
          bytes: dataFrame(transfer, entry, offset, payload),
          frame: { kind: 'data', transfer, entry, offset, bytes: hex(payload) } satisfies WholeFrame,
        })),
      fc
        .record({
          transfer: fc.integer({ min: 1, max: 0xffff_ffff }),
          entry: fc.nat({ max: 0xffff_ffff }),
          status: fc.constantFrom(EntryStatus.whole, EntryStatus.unreadable),
          blake3: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex),
        })
        .map((end) => ({ bytes: endFrame(end), frame: { kind: 'end', ...end } satisfies WholeFrame })),
    );
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, places) => {
        const bytes = Buffer.concat(frames.map((one) => one.bytes));
        assert.deepEqual(readFrames(cutAt(bytes, places), openLink), readFrames([bytes], openLink));
        assert.deepEqual(readFrames([bytes], openLink), joined(frames.map((one) => one.frame)));
      }),
    );
  });
});

describe('refused frames', () => {
  for (const { name, options, bytes } of refused) {
    it(`${name}: whole`, () => assert.throws(() => readFrames([bytes], options), badFrame));
    it(`${name}: byte by byte`, () => assert.throws(() => readFrames(byteByByte(bytes), options), badFrame));
    it(`${name}: behind a good frame, with trailing data`, () => {
      const all = Buffer.concat([textFrame('{}'), bytes, Buffer.alloc(20)]);
      assert.throws(() => readFrames([all], options), badFrame);
    });
  }

  it('random bytes never do anything but frames and bad-frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 10 }), (bytes, places) => {
        const outcome = (chunks: Uint8Array[]): unknown => {
          try {
            return readFrames(chunks, openLink);
          } catch (error) {
            assert.ok(badFrame(error));
            return 'bad-frame';
          }
        };
        assert.deepEqual(outcome(cutAt(bytes, places)), outcome([bytes]));
      }),
    );
  });
});

describe('what a frame under way costs', () => {
  /** Bytes that stay in use by `count` decoders after each was treated by `feed`. */
  function bytesHeld(count: number, feed: (decoder: FrameDecoder) => void): number {
    const decoders = Array.from({ length: count }, () => new FrameDecoder(openLink));
    collectGarbage();
    const before = process.memoryUsage();
    for (const decoder of decoders) feed(decoder);
    collectGarbage();
    const after = process.memoryUsage();
    assert.equal(decoders.length, count);
    return after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  }

  const drain = (decoder: FrameDecoder, bytes: Uint8Array): void => {
    decoder.push(bytes);
    assert.equal(decoder.next(), undefined);
  };

  it('a claimed length reserves nothing', () => {
    const claim = Buffer.concat([head(frameLimits.controlBytes, 0), Buffer.from('{')]);
    assert.ok(bytesHeld(2000, (decoder) => drain(decoder, claim)) < 2000 * 1024);
  });

  it('a body sent in single bytes costs about its size', () => {
    const count = 40;
    const body = frameLimits.beforeLoginBytes - 2;
    const held = bytesHeld(count, (decoder) => {
      drain(decoder, head(frameLimits.beforeLoginBytes, 0));
      for (let sent = 0; sent < body; sent += 1) drain(decoder, Uint8Array.of(0x20));
    });
    assert.ok(held < count * body * 4, `${held} bytes held for ${count * body}`);
  });

  it('a used-up chunk is let go, however little of a frame it brought', async () => {
    const decoder = new FrameDecoder(openLink);
    const feed = (): WeakRef<ArrayBuffer> => {
      const chunk = new Uint8Array(64 * 1024);
      drain(decoder, chunk.subarray(0, 3));
      return new WeakRef(chunk.buffer);
    };
    const buffer = feed();
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    assert.equal(buffer.deref(), undefined);
    assert.equal(decoder.atBoundary, false);
  });

  it('file data is handed on in the pieces in which it arrives, without a copy', () => {
    const decoder = new FrameDecoder(openLink);
    const frame = dataFrame(3, 1, 100, Buffer.from('abcdef'));
    const first = frame.subarray(0, DATA_PREFIX_BYTES + 2);
    decoder.push(first);
    const piece = decoder.next();
    assert.ok(piece?.kind === 'data');
    assert.equal(piece.bytes.buffer, first.buffer);
    assert.deepEqual([piece.entry, piece.offset, piece.first, Buffer.from(piece.bytes).toString()], [1, 100, true, 'ab']);
    assert.equal(decoder.next(), undefined);
    decoder.push(frame.subarray(DATA_PREFIX_BYTES + 2));
    const rest = decoder.next();
    assert.ok(rest?.kind === 'data');
    assert.deepEqual([rest.entry, rest.offset, rest.first, Buffer.from(rest.bytes).toString()], [1, 102, false, 'cdef']);
  });

  it('the first piece of every data frame is marked, and no other: headers are counted by it', () => {
    const decoder = new FrameDecoder(openLink);
    const bytes = Buffer.concat([dataFrame(1, 0, 0, Buffer.alloc(5)), dataFrame(1, 0, 5, Buffer.alloc(5)), endFrame(wholeEnd), dataFrame(1, 4, 0, Buffer.alloc(3))]);
    let marked = 0;
    for (const byte of byteByByte(bytes)) {
      decoder.push(byte);
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) if (event.kind === 'data' && event.first) marked += 1;
    }
    assert.equal(marked, 3);
  });
});

describe('the decoder', () => {
  it('takes new options between two frames of one chunk', () => {
    const decoder = new FrameDecoder(beforeLogin);
    decoder.push(Buffer.concat([textFrame('{"type":"go"}'), dataFrame(1, 0, 0, Buffer.from('x'))]));
    assert.equal(decoder.next()?.kind, 'json');
    decoder.options = openLink;
    assert.equal(decoder.next()?.kind, 'data');
  });

  it('is at a boundary only between frames', () => {
    for (const frame of [textFrame('{}'), dataFrame(1, 0, 0, Buffer.from('xy')), endFrame(wholeEnd)]) {
      const decoder = new FrameDecoder(openLink);
      const seen: boolean[] = [decoder.atBoundary];
      for (const byte of byteByByte(frame)) {
        decoder.push(byte);
        while (decoder.next() !== undefined);
        seen.push(decoder.atBoundary);
      }
      assert.deepEqual(seen, [true, ...Array.from({ length: frame.length - 1 }, () => false), true]);
    }
  });

  it('refuses a chunk before the last one was used up: that would lose bytes', () => {
    const decoder = new FrameDecoder(openLink);
    decoder.push(textFrame('{}'));
    assert.throws(() => decoder.push(textFrame('{}')), /before the last chunk was used up/);
  });
});

describe('writeDataPrefix', () => {
  it('writes in place and touches nothing else', () => {
    const target = Buffer.alloc(DATA_PREFIX_BYTES + 4, 0xaa);
    writeDataPrefix(target, 2, { transfer: 0x01020304, entry: 0x05060708, offset: 0x1fffffffffff0 }, 16);
    assert.equal(target.toString('hex'), 'aaaa' + '00000021' + '01' + '01020304' + '05060708' + '0001fffffffffff0' + 'aaaa');
  });

  it('writes into memory that threads share', () => {
    const target = Buffer.from(new SharedArrayBuffer(DATA_PREFIX_BYTES));
    writeDataPrefix(target, 0, { transfer: 1, entry: 2, offset: 3 }, 4);
    assert.equal(target.toString('hex'), '00000015' + '01' + '00000001' + '00000002' + '0000000000000003');
  });
});

describe('writeEndFrame', () => {
  it('writes in place and touches nothing else', () => {
    const target = Buffer.alloc(END_FRAME_BYTES + 4, 0xaa);
    writeEndFrame(target, 2, { transfer: 0x01020304, entry: 0x05060708, status: EntryStatus.unreadable, blake3: hash });
    assert.equal(target.toString('hex'), 'aaaa' + '0000002a' + '02' + '01020304' + '05060708' + '01' + hash + 'aaaa');
  });
});
