/** The asker's side of introductions by itself: what a wrong, late or second answer from another node would do (HOSTILE 14). */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { timeLimits } from '../../src/protocol/limits.js';
import type { ServerMessage } from '../../src/protocol/server-messages.js';
import type { Backend, RoutedMessage } from '../../src/server/backend.js';
import { Introductions, type Asker } from '../../src/server/introductions.js';
import { Rates } from '../../src/server/rates.js';
import { ManualClock } from '../helpers/manual-clock.js';

const reach = { port: 5000, candidates: [] };
const seen = { address: '203.0.113.2', local: '203.0.113.1' };
const fingerprint = `SHA256:${'A'.repeat(43)}`;

describe('Introductions', () => {
  let clock: ManualClock;
  let introductions: Introductions;
  let routed: { to: string; message: RoutedMessage }[];
  let told: ServerMessage[];
  let alice: Asker;
  beforeEach(() => {
    clock = new ManualClock();
    routed = [];
    told = [];
    const deliver: Backend['deliver'] = ({ name }, message) => {
      routed.push({ to: name, message });
      return Promise.resolve(true);
    };
    introductions = new Introductions({ backend: { deliver }, clock, rates: new Rates({ points: 100, seconds: 60 }) });
    alice = { address: { name: 'alice', link: 'a' }, identity: { user: 'Alice', fingerprint }, seen, send: (message) => told.push(message) };
  });

  async function ask(): Promise<string> {
    await introductions.ask(alice, { type: 'connect', id: 1, to: 'Bob', reach });
    const { message } = routed.at(-1)!;
    assert.ok(message.kind === 'asked');
    return message.introduction;
  }

  function answer(introduction: string, name = 'bob'): Extract<RoutedMessage, { kind: 'answered' }> {
    return { kind: 'answered', introduction, by: { user: name, fingerprint }, answerer: { name, link: 'b' }, reach, seen };
  }

  it('ignores the answer of another account', async () => {
    const introduction = await ask();
    await introductions.answered(answer(introduction, 'mallory'));
    assert.deepEqual([told, routed.length], [[], 1]);
    await introductions.answered(answer(introduction));
    assert.deepEqual([told.length, routed.length], [1, 2]);
  });

  it('takes one answer, and none after the end', async () => {
    const introduction = await ask();
    await introductions.answered(answer(introduction));
    await introductions.answered(answer(introduction));
    assert.deepEqual([told.length, routed.length], [1, 2]);
    const late = await ask();
    clock.advance(timeLimits.answerMs);
    await introductions.answered(answer(late));
    assert.deepEqual(told.map(({ type }) => type), ['introduction', 'error']);
  });

  it('takes no answer between a refusal and the moment at which it is told', async () => {
    const introduction = await ask();
    await introductions.answered({ ...answer(introduction), reach: null });
    await introductions.answered(answer(introduction));
    clock.advance(timeLimits.unavailableMs);
    assert.deepEqual(told.map(({ type }) => type), ['error']);
  });

  it('keeps nothing of what has ended, and tells the targets of an asker who leaves', async () => {
    await introductions.answered(answer(await ask()));
    await introductions.answered({ ...answer(await ask()), reach: null });
    clock.advance(timeLimits.unavailableMs);
    const open = await ask();
    await introductions.askerGone('a');
    assert.deepEqual(routed.at(-1), { to: 'bob', message: { kind: 'ask-ended', introduction: open } });
    assert.deepEqual([introductions.size, clock.pending], [0, 0]);
  });
});
