/** A sender whose receiver breaks the rules, or only goes away: its transfer ends, nothing is read for nobody. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { TransferMessage } from '../../src/protocol/peer-messages.js';
import { loneSide, patterned, type OpenPort, type Side } from './harness.js';

const MiB = 1024 * 1024;

async function offered(t: TestContext, bytes = 3 * MiB): Promise<{ side: Side; port: OpenPort; finished: Promise<unknown> }> {
  const { side, port } = await loneSide(t);
  const { finished } = await side.manager.offer(await side.file('a', patterned(bytes)));
  return { side, port, finished };
}

async function failsWith(at: { side: Side; port: OpenPort }, code: string): Promise<void> {
  assert.equal((await at.side.event('transfer-failed')).code, code);
  assert.deepEqual(((cancel) => [cancel.by, cancel.code])(await at.port.message('cancel')), ['sender', code]);
}

const plan: TransferMessage = { type: 'plan', transfer: 1, first: 0, count: 1, have: [], skip: [] };

describe('a receiver of a file', () => {
  it('that keeps the rules is served, within its credit', async (t) => {
    const { side, port } = await offered(t);
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: MiB });
    side.manager.handleMessage(plan);
    await port.frames.first((frame) => frame.kind === 'data' && frame.offset > 0);
    const bytes = () => port.frames.all.reduce((sum, frame) => sum + (frame.kind === 'data' ? frame.bytes.length : 0), 0);
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 4 * MiB });
    const end = await port.frames.first((frame) => frame.kind === 'end');
    assert.equal(bytes(), 3 * MiB);
    assert.ok(end.kind === 'end' && end.status === 0);
    side.manager.handleMessage({ type: 'verified', transfer: 1, same: 0, refused: 0 });
    assert.equal((await side.event('transfer-done')).blake3, end.blake3);
  });

  it('that has the beginning gets the rest', async (t) => {
    const { side, port } = await offered(t);
    const { Blake3Hasher } = await import('@napi-rs/blake-hash');
    const hasher = new Blake3Hasher();
    hasher.update(patterned(3 * MiB).subarray(0, MiB));
    const point = { bytes: MiB, blake3: hasher.digest('hex') };
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: 8 * MiB });
    side.manager.handleMessage({ ...plan, have: [{ entry: 0, points: [point, { bytes: 2 * MiB, blake3: 'f'.repeat(64) }] }] });
    const first = await port.frames.first((frame) => frame.kind === 'data');
    assert.ok(first.kind === 'data' && first.offset === MiB);
  });

  it('whose beginning is another one gets everything', async (t) => {
    const { side, port } = await offered(t);
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: 8 * MiB });
    side.manager.handleMessage({ ...plan, have: [{ entry: 0, points: [{ bytes: MiB, blake3: 'f'.repeat(64) }] }] });
    const first = await port.frames.first((frame) => frame.kind === 'data');
    assert.ok(first.kind === 'data' && first.offset === 0);
  });

  it('that claims more than there is gets everything', async (t) => {
    const { side, port } = await offered(t);
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: 8 * MiB });
    side.manager.handleMessage({ ...plan, have: [{ entry: 0, points: [{ bytes: 2 ** 53 - 1, blake3: 'f'.repeat(64) }] }] });
    const first = await port.frames.first((frame) => frame.kind === 'data');
    assert.ok(first.kind === 'data' && first.offset === 0);
  });

  const accept: TransferMessage = { type: 'accept', transfer: 1, credit: MiB };
  const wrong: [string, TransferMessage[]][] = [
    ['plans before it accepts', [plan]],
    ['grants before it accepts', [{ type: 'credit', transfer: 1, upTo: 5 }]],
    ['accepts twice', [accept, accept]],
    ['verifies what it has not got', [accept, { type: 'verified', transfer: 1, same: 0, refused: 0 }]],
    ['plans twice', [accept, plan, plan]],
    ['plans nothing', [accept, { ...plan, count: 0 }]],
    ['asks for the list again before it has an answer', [{ type: 'survey', transfer: 1, first: 0 }, { type: 'survey', transfer: 1, first: 0 }]],
    ['plans what it was not told of', [accept, { ...plan, count: 2 }]],
    ['skips what it does not plan', [accept, { ...plan, skip: [3] }]],
    ['has what it does not plan', [accept, { ...plan, have: [{ entry: 9, points: [{ bytes: 1, blake3: 'f'.repeat(64) }] }] }]],
  ];
  for (const [what, messages] of wrong) {
    it(`that ${what} ends the transfer`, async (t) => {
      const at = await offered(t);
      for (const message of messages) at.side.manager.handleMessage(message);
      await failsWith(at, 'out-of-order');
    });
  }

  it('that says something of what was never offered is ignored', async (t) => {
    const { side } = await offered(t);
    const messages: TransferMessage[] = [
      { ...accept, transfer: 9 },
      { ...plan, transfer: 9 },
      { type: 'verified', transfer: 9, same: 0, refused: 0 },
      { type: 'pause', transfer: 9, by: 'receiver', reason: 'person' },
      { type: 'cancel', transfer: 9, by: 'receiver', code: 'cancelled', message: '' },
    ];
    for (const message of messages) side.manager.handleMessage(message);
    assert.equal(side.manager.snapshots().length, 1);
  });

  it('that refuses gives its reason, marked as its words', async (t) => {
    const { side } = await offered(t);
    side.manager.handleMessage({ type: 'reject', transfer: 1, code: 'rejected', message: 'not today' });
    const failed = await side.event('transfer-failed');
    assert.equal(failed.code, 'rejected');
    assert.match(failed.message, /^mallory says: "not today"$/u);
  });

  it('that never grants keeps nothing from being cancelled', async (t) => {
    const { side, port } = await offered(t);
    side.manager.handleMessage({ type: 'accept', transfer: 1, credit: 0 });
    side.manager.handleMessage(plan);
    await side.manager.cancel((await side.event('offer')).id);
    assert.equal((await side.event('transfer-failed')).code, 'cancelled');
    assert.deepEqual(port.frames.all, []);
  });
});
