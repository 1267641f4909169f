/** Introductions: consent, addresses, budgets, what is ignored (PROTOCOL.md 5.5; HOSTILE 11, 12, 14). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Candidate, Reach } from '../../src/protocol/fields.js';
import { serverLimits, timeLimits } from '../../src/protocol/limits.js';
import { ManualClock } from '../helpers/manual-clock.js';
import type { RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

const reach: Reach = { port: 5000, candidates: [] };
const askers = Array.from({ length: 6 }, (_, n) => `asker${n}`);

describe('introductions', { timeout: 60_000 }, () => {
  let server: TestServer;
  let clock: ManualClock;
  let alice: RawServerClient;
  let bob: RawServerClient;
  before(async () => {
    clock = new ManualClock();
    server = await startTestServer({ clock, accounts: ['alice', 'bob', 'mallory', ...askers] });
  });
  after(() => server.dispose());
  beforeEach(async () => {
    // Budgets of requests are full again.
    clock.advance(10_000);
    [alice, bob] = [await server.enter('alice'), await server.enter('bob')];
  });

  async function ask(asker: RawServerClient, target: RawServerClient, id = 1, from = reach): Promise<string> {
    asker.send({ type: 'connect', id, to: 'bob', reach: from });
    return (await target.expect('asked')).introduction;
  }

  it('brings two together who both want it, and tells each the key of the other', async () => {
    alice.send({ type: 'connect', id: 5, to: 'BOB', reach: { port: 5001, candidates: [{ address: '10.0.0.5', port: 5001 }] } });
    const asked = await bob.expect('asked');
    assert.deepEqual(asked.from, { user: 'alice', fingerprint: server.identities.get('alice')!.fingerprint });
    bob.send({ type: 'answer', introduction: asked.introduction, reach: { port: 6001, candidates: [] } });
    const [forAlice, forBob] = await Promise.all([alice.expect('introduction'), bob.expect('introduction')]);
    assert.deepEqual(forAlice, {
      type: 'introduction',
      id: 5,
      introduction: asked.introduction,
      role: 'asker',
      peer: { user: 'bob', fingerprint: server.identities.get('bob')!.fingerprint },
      candidates: [{ address: '127.0.0.1', port: 6001 }],
    });
    assert.deepEqual(forBob, {
      type: 'introduction',
      introduction: asked.introduction,
      role: 'answerer',
      peer: asked.from,
      candidates: [
        { address: '10.0.0.5', port: 5001 },
        { address: '127.0.0.1', port: 5001 },
      ],
    });
  });

  it('tells the one who is asked no address before the answer', async () => {
    alice.send({ type: 'connect', id: 1, to: 'bob', reach: { port: 5001, candidates: [{ address: '10.0.0.5', port: 5001 }] } });
    const { type, introduction, from, ...rest } = await bob.expect('asked');
    assert.deepEqual([type, introduction.length, Object.keys(from), rest], ['asked', 22, ['user', 'fingerprint'], {}]);
  });

  it('passes on no address at which nobody may be pointed', async () => {
    const bait: Candidate[] = ['127.0.0.1', '169.254.169.254', '224.0.0.1', '0.0.0.0', '255.255.255.255', '8.8.8.8', 'fe80::1', '::1'].map((address) => ({ address, port: 5001 }));
    const introduction = await ask(alice, bob, 1, { port: 22, candidates: bait });
    bob.send({ type: 'answer', introduction, reach: { port: 5001, candidates: [{ address: '10.0.0.1', port: 25 }] } });
    assert.deepEqual((await bob.expect('introduction')).candidates, []);
    assert.deepEqual((await alice.expect('introduction')).candidates, [{ address: '127.0.0.1', port: 5001 }]);
  });

  it('closes the link of one who names port 0', async () => {
    alice.send({ type: 'connect', id: 1, to: 'bob', reach: { port: 0, candidates: [] } });
    assert.equal((await alice.expect('bye')).code, 'bad-message');
  });

  it('tells refused, offline, unknown and oneself alike, and never before 500 ms', async () => {
    bob.send({ type: 'bye' });
    await bob.closed;
    const refusing = await server.enter('mallory');
    const answers: unknown[] = [];
    for (const to of ['mallory', 'bob', 'nobody', 'alice']) {
      alice.send({ type: 'connect', id: 1, to, reach });
      if (to === 'mallory') {
        refusing.send({ type: 'answer', introduction: (await refusing.expect('asked')).introduction, reach: null });
        await refusing.roundTrip();
      }
      await alice.roundTrip();
      clock.advance(timeLimits.unavailableMs - 1);
      await alice.roundTrip();
      assert.deepEqual(alice.unread, [], to);
      clock.advance(1);
      const { message, ...answer } = await alice.expect('error');
      answers.push({ ...answer, message: message.replace(to, '…') });
    }
    for (const answer of answers) assert.deepEqual(answer, { type: 'error', id: 1, code: 'unavailable', message: '… cannot be reached now.' });
  });

  it('gives up after 60 s without an answer, and ignores the one that comes then', async () => {
    const introduction = await ask(alice, bob);
    await waitFor(timeLimits.answerMs - 1, alice, bob);
    assert.deepEqual(alice.unread, []);
    clock.advance(1);
    assert.equal((await alice.expect('error')).code, 'unavailable');
    bob.send({ type: 'answer', introduction, reach });
    await bob.roundTrip();
    await alice.roundTrip();
    assert.deepEqual([alice.unread, bob.unread], [[], []]);
  });

  it('ignores answers of others, to nothing, and second ones', async () => {
    const mallory = await server.enter('mallory');
    const introduction = await ask(alice, bob);
    mallory.send({ type: 'answer', introduction, reach });
    mallory.send({ type: 'answer', introduction: 'A'.repeat(22), reach });
    await mallory.roundTrip();
    await alice.roundTrip();
    assert.deepEqual([mallory.unread, alice.unread], [[], []]);
    bob.send({ type: 'answer', introduction, reach });
    await Promise.all([alice.expect('introduction'), bob.expect('introduction')]);
    bob.send({ type: 'answer', introduction, reach });
    await bob.roundTrip();
    await alice.roundTrip();
    assert.deepEqual([bob.unread, alice.unread], [[], []]);
  });

  it('forgets the question of one who has gone', async () => {
    const introduction = await ask(alice, bob);
    alice.socket.destroy();
    await alice.closed;
    const again = await server.enter('alice');
    bob.send({ type: 'answer', introduction, reach });
    await bob.roundTrip();
    await again.roundTrip();
    assert.deepEqual([bob.unread, again.unread], [[], []]);
  });

  it('tells the asker at once that the one who was asked has gone', async () => {
    await ask(alice, bob, 7);
    const bobGone = /"user":"bob".*"link ended"/u;
    const before = server.logLines.filter((line) => bobGone.test(line)).length;
    await bob.end();
    await server.logged(bobGone, before + 1);
    await alice.roundTrip();
    clock.advance(timeLimits.unavailableMs);
    const { id, code } = await alice.expect('error');
    assert.deepEqual([id, code], [7, 'unavailable']);
  });

  it('bounds what one asker may have open, and what one target may be asked at once', async () => {
    const crowd = await Promise.all(askers.map((user) => server.enter(user)));
    const { pendingIntroductionsPerAsker: perAsker, pendingIntroductionsPerTarget: perTarget } = serverLimits;
    for (const asker of crowd) {
      for (let id = 1; id <= perAsker + 1; id += 1) asker.send({ type: 'connect', id, to: 'bob', reach });
      const over = await asker.expect('error');
      assert.deepEqual([over.id, over.code], [perAsker + 1, 'rate-limited']);
    }
    bob.send({ type: 'ping' });
    let asked = 0;
    while ((await bob.next()).type === 'asked') asked += 1;
    assert.equal(asked, perTarget);
    clock.advance(timeLimits.unavailableMs);
    const last = crowd.at(-1)!;
    assert.equal((await last.expect('error')).code, 'unavailable');
    await Promise.all(crowd.map((asker) => asker.end()));
    await server.logged(/"user":"asker.*link ended/u, crowd.length);
    assert.match(await ask(alice, bob), /^.{22}$/u);
  });

  it('bounds what one account may ask within a minute, on however many links', async () => {
    let refused = 0;
    let link = await server.enter('mallory');
    for (let sent = 1; sent <= serverLimits.introductionsPerMinute + 2; sent += 1) {
      link.send({ type: 'connect', id: 1, to: 'nobody', reach });
      link.send({ type: 'ping' });
      const first = await link.next();
      if (first.type === 'error') refused += first.code === 'rate-limited' ? 1 : 0;
      clock.advance(timeLimits.unavailableMs);
      await link.next();
      if (sent % 8 === 0) link = await server.enter('mallory');
    }
    assert.equal(refused, 2);
  });

  /** Lets time pass without the heartbeat's ending the links. */
  async function waitFor(ms: number, ...clients: RawServerClient[]): Promise<void> {
    for (let left = ms; left > 0; left -= 20_000) {
      clock.advance(Math.min(left, 20_000));
      await Promise.all(clients.map((client) => client.roundTrip()));
    }
  }
});
