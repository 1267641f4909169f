/** What comes on a pipe, sent as a file: whole, as it comes, and on after a broken link as far as it is kept. */
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { transferLimits } from '../../../src/protocol/limits.js';
import { PipeSource } from '../../../src/transfer/source/pipe-source.js';
import { block, hash, Receiver, systemError, takeAll, TRANSFER } from './sent-frames.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const KEPT = transferLimits.windowBytes + transferLimits.bufferBytes;

function patterned(bytes: number): Buffer {
  return Buffer.from(Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, i) => i * 2654435761).buffer, 0, bytes);
}

/** A stream of these bytes in chunks as a pipe has them. */
function piped(content: Buffer, chunk = 64 * KiB): Readable {
  return Readable.from(Array.from({ length: Math.ceil(content.length / chunk) }, (_, i) => content.subarray(i * chunk, (i + 1) * chunk)), { objectMode: false });
}

async function readOnce(source: PipeSource, into: Receiver, maxBytes = MiB): Promise<boolean> {
  const buffer = block();
  const batch = await source.read(buffer, TRANSFER, maxBytes);
  assert.ok(batch.bytes <= maxBytes);
  into.take(buffer, batch);
  return batch.idle;
}

async function readAll(source: PipeSource, into = new Receiver(), maxBytes = MiB): Promise<Receiver> {
  while (!(await readOnce(source, into, maxBytes)));
  return into;
}

/** A source of which `bytes` or somewhat more have been sent. */
async function sent(content: Buffer, bytes: number): Promise<{ source: PipeSource; payload: number }> {
  const source = new PipeSource(piped(content), 'pipe');
  await source.start();
  source.plan(takeAll(0, 1));
  const got = new Receiver();
  while (got.payload < bytes) await readOnce(source, got);
  return { source, payload: got.payload };
}

/** A new link, whose receiver has so much. */
async function goOn(source: PipeSource, content: Buffer, bytes: number): Promise<Receiver> {
  await source.start();
  source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes, blake3: hash(content.subarray(0, bytes)) }] }] });
  return readAll(source);
}

describe('a pipe', () => {
  it('is offered under the given name, without size and time', () => {
    const { facts } = new PipeSource(piped(Buffer.alloc(0)), 'a:b');
    assert.deepEqual(facts, { kind: 'file', name: 'a_b', size: null, files: 1, counted: true, modified: null });
  });

  for (const bytes of [0, 1, 64 * KiB, 3 * MiB + 7]) {
    it(`with ${bytes} bytes is sent whole, with its hash`, async () => {
      const content = patterned(bytes);
      const source = new PipeSource(piped(content), 'pipe');
      await source.start();
      source.plan(takeAll(0, 1));
      const got = await readAll(source);
      got.mustHave(0, content);
      assert.deepEqual([got.blake3, got.ended, got.had, got.payload], [hash(content), 1, 0, bytes]);
      await source.close();
    });
  }

  it('may bring one large chunk, or text', async () => {
    const content = patterned(2 * MiB + 1);
    for (const input of [Readable.from([content]), Readable.from(['söme ', 'text'])]) {
      const source = new PipeSource(input, 'pipe');
      await source.start();
      source.plan(takeAll(0, 1));
      const got = await readAll(source, new Receiver(), 100 * KiB);
      got.mustHave(0, input.readableObjectMode && got.payload < 100 ? Buffer.from('söme text') : content);
    }
  });

  it('is not read before it is planned, nor ahead of what is sent', async () => {
    let chunks = 0;
    const input = new Readable({
      highWaterMark: 1,
      read() {
        chunks += 1;
        this.push(chunks <= 100 ? Buffer.alloc(64 * KiB) : null);
      },
    });
    const source = new PipeSource(input, 'pipe');
    await source.start();
    assert.deepEqual([(await source.read(block(), TRANSFER, MiB)).idle, chunks], [true, 0]);
    source.plan(takeAll(0, 1));
    const got = new Receiver();
    await readOnce(source, got);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(chunks <= got.payload / (64 * KiB) + 2, `${chunks} chunks`);
    await source.close();
  });

  it('that has nothing yet is waited for', async () => {
    const input = new PassThrough();
    const source = new PipeSource(input, 'pipe');
    await source.start();
    source.plan(takeAll(0, 1));
    const got = new Receiver();
    const reading = readOnce(source, got);
    assert.ok(source.busyMs >= 0);
    input.write('late');
    assert.equal(await reading, false);
    input.end();
    (await readAll(source, got)).mustHave(0, Buffer.from('late'));
  });

  it('of which the receiver wants nothing is not read', async () => {
    const source = new PipeSource(piped(patterned(100)), 'pipe');
    await source.start();
    source.plan({ ...takeAll(0, 1), skip: [0] });
    const batch = await source.read(block(), TRANSFER, MiB);
    assert.deepEqual(batch, { bytes: 0, payload: 0, had: 0, ended: 1, idle: true });
  });

  it('that breaks ends the transfer', async () => {
    const input = new PassThrough();
    const source = new PipeSource(input, 'pipe');
    await source.start();
    source.plan(takeAll(0, 1));
    const reading = assert.rejects(source.read(block(), TRANSFER, MiB), { name: 'TransferFailure', code: 'read-failed' });
    input.destroy(systemError('EIO'));
    await reading;
    assert.equal(source.repeatable, false);
  });

  it('that is closed lets a waiting read go, and is read no further', async () => {
    const input = new PassThrough();
    const source = new PipeSource(input, 'pipe');
    await source.start();
    source.plan(takeAll(0, 1));
    const reading = source.read(block(), TRANSFER, MiB);
    await Promise.all([source.close(), source.close()]);
    assert.deepEqual([(await reading).bytes, input.destroyed], [0, true]);
  });
});

describe('after a broken link a pipe', () => {
  const content = patterned(14 * MiB + 5);

  it('goes on where the receiver is', async () => {
    const { source, payload } = await sent(content, 10 * MiB);
    const from = payload - transferLimits.windowBytes + 3;
    const got = await goOn(source, content, from);
    got.mustHave(0, content, from);
    assert.deepEqual([got.had, source.repeatable], [from, true]);
  });

  it('does so again and again, also behind its end', async () => {
    const { source } = await sent(content, 10 * MiB);
    for (const from of [6 * MiB, 7 * MiB + 1, 14 * MiB, content.length]) (await goOn(source, content, from)).mustHave(0, content, from);
  });

  it('begins anew while its beginning is kept', async () => {
    const { source } = await sent(content, MiB);
    await source.start();
    source.plan(takeAll(0, 1));
    (await readAll(source)).mustHave(0, content);
  });

  it('begins anew while its beginning is kept and the receiver has something else', async () => {
    const { source } = await sent(content, 3 * MiB);
    await source.start();
    source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: MiB, blake3: hash(Buffer.from('else')) }] }] });
    (await readAll(source)).mustHave(0, content);
  });

  for (const [what, bytes, blake3] of [
    ['nothing', 0, ''],
    ['less than is kept', MiB, hash(content.subarray(0, MiB))],
    ['something else', 8 * MiB, hash(Buffer.from('else'))],
    ['more than was sent', 100 * MiB, hash(Buffer.from('else'))],
  ] as const) {
    it(`fails where the receiver has ${what}`, async () => {
      const { source } = await sent(content, 11 * MiB);
      await source.start();
      source.plan({ ...takeAll(0, 1), have: bytes === 0 ? [] : [{ entry: 0, points: [{ bytes, blake3 }] }] });
      await assert.rejects(readAll(source), { name: 'TransferFailure', code: 'source-changed', message: /cannot be read again/u });
      assert.equal(source.repeatable, false);
    });
  }

  it('keeps no more than may be needed', async () => {
    const { source, payload } = await sent(content, 12 * MiB);
    const from = payload - KEPT;
    await source.start();
    source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: from - 64 * KiB, blake3: hash(content.subarray(0, from - 64 * KiB)) }] }] });
    await assert.rejects(readAll(source), { code: 'source-changed' });
  });

  it('fails where the receiver claims more than was sent, with the hash of that', async () => {
    const { source, payload } = await sent(content, 11 * MiB);
    await source.start();
    source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: 100 * MiB, blake3: hash(content.subarray(0, payload)) }] }] });
    await assert.rejects(readAll(source), { code: 'source-changed' });
  });

  it('fails where the receiver claims less than has gone, with the hash of that', async () => {
    const { source, payload } = await sent(content, 11 * MiB);
    const chunk = 64 * KiB;
    const gone = Math.floor((payload - KEPT) / chunk) * chunk;
    await source.start();
    source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: MiB, blake3: hash(content.subarray(0, gone)) }] }] });
    await assert.rejects(readAll(source), { code: 'source-changed' });
  });

  it('gives what it was waiting for, and all else, to the new link', async () => {
    const input = new PassThrough();
    const source = new PipeSource(input, 'pipe');
    await source.start();
    source.plan(takeAll(0, 1));
    input.write('early and ');
    await readOnce(source, new Receiver());
    const waiting = source.read(block(), TRANSFER, MiB);
    await source.start();
    source.plan(takeAll(0, 1));
    assert.equal((await waiting).bytes, 0);
    const got = new Receiver();
    input.end('late');
    (await readAll(source, got)).mustHave(0, Buffer.from('early and late'));
  });
});
