/** Progress, rates, turns and batch sizes: the parts of a transfer that depend on time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BufferPool, SEND_BLOCK_BYTES } from '../../src/transfer/buffer-pool.js';
import { ProgressMeter, smoothedRate } from '../../src/transfer/progress.js';
import { RateLimiter } from '../../src/transfer/rate-limit.js';
import { nextBatchBytes, SendPump, type Batch, type Pumped } from '../../src/transfer/send-pump.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { loneSide, patterned } from './harness.js';

const MiB = 1024 * 1024;

describe('a progress meter', () => {
  it('reports at most four times a second, only growth, and stops', () => {
    const clock = new ManualClock();
    const reports: [number, number][] = [];
    const meter = new ProgressMeter(clock, (bytes, rate) => reports.push([bytes, rate]));
    meter.start();
    for (let n = 1; n <= 1000; n += 1) {
      meter.reach(n * 100, 0);
      clock.advance(1);
    }
    assert.deepEqual(reports, [[25_000, 100_000], [50_000, 100_000], [75_000, 100_000], [100_000, 100_000]]);
    clock.advance(5000);
    assert.equal(reports.length, 4);
    meter.stop();
    meter.reach(1_000_000, 0);
    clock.advance(5000);
    assert.equal(reports.length, 4);
    assert.equal(clock.pending, 0);
  });

  it('smooths: a rate stays between what it was and what it becomes', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.nat(1e9), fc.integer({ min: 1, max: 60_000 }), (before, bytes, elapsed) => {
        const sample = (bytes * 1000) / elapsed;
        const rate = smoothedRate(before, bytes, elapsed);
        const slack = 1e-6 * Math.max(before, sample, 1);
        assert.ok(rate >= Math.min(before, sample) - slack && rate <= Math.max(before, sample) + slack);
      }),
    );
  });

  it('counts what was there already without calling it fast', () => {
    const clock = new ManualClock();
    const reports: [number, number][] = [];
    const meter = new ProgressMeter(clock, (bytes, rate) => reports.push([bytes, rate]));
    meter.start();
    meter.reach(1000, 9_000_000);
    clock.advance(250);
    assert.deepEqual(reports, [[9_001_000, 4000]]);
  });

  it('forgets its rate while nothing moves', () => {
    const clock = new ManualClock();
    const meter = new ProgressMeter(clock, () => undefined);
    meter.start();
    meter.reach(1_000_000, 0);
    clock.advance(250);
    const fast = meter.rate;
    clock.advance(20_000);
    assert.ok(meter.rate < fast / 10, `${meter.rate} of ${fast}`);
  });

  it('of a sender shows what the receiver has written, not what was sent', async (t) => {
    const clock = new ManualClock();
    const { side, port } = await loneSide(t, { clock });
    await side.manager.offer(await side.file('a', patterned(4 * MiB)));
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: 3 * MiB });
    side.manager.handleMessage({ type: 'plan', transfer: 1, first: 0, count: 1, have: [], skip: [] });
    await port.frames.first((frame) => frame.kind === 'data' && frame.offset + frame.bytes.length > 2.9 * MiB);
    clock.advance(250);
    assert.deepEqual(side.events.all.filter(({ event }) => event === 'progress'), []);
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 4 * MiB });
    clock.advance(250);
    const progress = await side.event('progress');
    assert.ok(progress.bytes > 0.99 * MiB && progress.bytes <= MiB, `${progress.bytes}`);
    assert.equal(progress.total, 4 * MiB);
  });
});

describe('the size of a batch', () => {
  it('stays within its bounds and moves against the time that batches take', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 50 }), (times) => {
        let bytes = 256 * 1024;
        for (const elapsed of times) {
          const next = nextBatchBytes(bytes, elapsed);
          assert.ok(next <= SEND_BLOCK_BYTES);
          assert.ok(next >= 64 * 1024);
          assert.ok(elapsed >= 25 || next >= bytes);
          assert.ok(elapsed <= 100 || next <= bytes);
          bytes = next;
        }
      }),
    );
  });
});

/** Something with `batches` to send that notes when they go. */
class FakeTransfer implements Pumped {
  live = true;
  #reading = false;
  readonly #name: string;
  readonly #log: string[];
  #batches: number;

  constructor(name: string, batches: number, log: string[]) {
    this.#name = name;
    this.#batches = batches;
    this.#log = log;
  }

  get ready(): boolean {
    return this.#batches > 0 && !this.#reading;
  }

  async read(buffer: Buffer): Promise<Batch> {
    this.#reading = true;
    this.#batches -= 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.#reading = false;
    const live = () => this.live;
    return {
      frames: buffer.subarray(0, 1),
      get wanted() {
        return live();
      },
      limited: () => undefined,
      sent: () => void this.#log.push(this.#name),
    };
  }
}

function pumpWith(sendData: (frames: Buffer) => Promise<void>, pool: BufferPool): SendPump {
  const clock = new ManualClock();
  return new SendPump({ sendData, pool, clock, flow: new RateLimiter(clock).sending });
}

describe('the send pump', () => {
  it('takes turns', async () => {
    const log: string[] = [];
    const pool = new BufferPool();
    let finish: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (finish = resolve));
    const pump = pumpWith(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (log.length === 15) finish();
    }, pool);
    for (const [name, batches] of [['a', 9], ['b', 3], ['c', 3]] as const) pump.add(new FakeTransfer(name, batches, log));
    await all;
    assert.deepEqual([...log.slice(0, 9)].sort().join(''), 'aaabbbccc');
    assert.equal(log.slice(9).join(''), 'aaaaaa');
  });

  it('has two batches with the link at most, and four buffers', async () => {
    const waiting: (() => void)[] = [];
    const log: string[] = [];
    const pool = new BufferPool();
    const pump = pumpWith(() => new Promise((resolve) => waiting.push(resolve)), pool);
    for (const name of ['a', 'b', 'c']) pump.add(new FakeTransfer(name, 10, log));
    for (let turn = 0; turn < 30; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(log.length - turn <= 2);
      assert.ok(pool.out <= 4);
      while (log.length === turn) await new Promise((resolve) => setImmediate(resolve));
      waiting.shift()?.();
    }
    assert.equal(log.length, 30);
  });

  it('drops what was read for a transfer that has ended meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const log: string[] = [];
    const pool = new BufferPool();
    const pump = pumpWith(() => new Promise((resolve) => waiting.push(resolve)), pool);
    const ended = new FakeTransfer('ended', 4, log);
    pump.add(ended);
    while (pool.out < 4) await new Promise((resolve) => setImmediate(resolve));
    ended.live = false;
    pump.remove(ended);
    while (pool.out > 0) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(log, ['ended', 'ended']);
  });
});
