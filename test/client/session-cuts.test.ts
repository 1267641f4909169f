/** Two sessions whose link is cut at any moment, in handshakes too: what was said arrives exactly once and in order (PROTOCOL.md 7.3.1, 7.4). */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Session } from '../../src/client/session.js';
import { LinkLost } from '../../src/protocol/errors.js';
import { peerLimits } from '../../src/protocol/limits.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { introducedBy, introductionId, linkPair, recordedSession, type LinkPair } from '../helpers/session-pair.js';

/** A fixed sequence: linear congruential, as in Numerical Recipes. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

async function twoSessions() {
  const clock = new ManualClock();
  let link: LinkPair | undefined;
  let introductions = 1;
  let connecting = false;
  /** Introduces the two again, as the asker wishes. A link may be cut before both have it. */
  const connect = async (asker: Session, answerer: Session) => {
    if (connecting) throw new LinkLost('already-connected', 'Wait.');
    connecting = true;
    try {
      introductions += 1;
      const id = introductionId(introductions);
      const made = linkPair(clock, id, () => asker.continuity(undefined), ({ session }) => answerer.continuity(session), (early) => (link = early));
      const { asker: near, answerer: far } = await made;
      asker.take(introducedBy(near, id, 'other', 'outgoing'));
      answerer.take(introducedBy(far, id, 'other', 'incoming'));
    } finally {
      connecting = false;
    }
  };
  link = await linkPair(clock, introductionId(1), () => ({}), () => ({}));
  const alice = recordedSession({ introduced: introducedBy(link.asker, introductionId(1), 'other', 'outgoing'), clock, reconnect: (self) => connect(self, bob.session) });
  const bob = recordedSession({ introduced: introducedBy(link.answerer, introductionId(1), 'other', 'incoming'), clock, reconnect: (self) => connect(self, alice.session) });
  alice.session.start();
  bob.session.start();
  return { alice, bob, clock, cut: () => link?.cut() };
}

for (const seed of [1, 2, 3, 4, 5]) {
  it(`everything arrives once, cuts by seed ${seed}`, async () => {
    const random = randomFrom(seed);
    const { alice, bob, clock, cut } = await twoSessions();
    const said: Promise<void>[] = [];
    const waiting = { alice: 0, bob: 0 };
    const texts = { alice: [] as string[], bob: [] as string[] };
    for (let step = 0; step < 400; step += 1) {
      const who = random(2) === 0 ? 'alice' : 'bob';
      if (waiting[who] >= peerLimits.undeliveredMessages) continue;
      const text = `${who} ${texts[who].length} ${'.'.repeat(random(3) === 0 ? random(9_000) : 0)}`;
      texts[who].push(text);
      waiting[who] += 1;
      said.push((who === 'alice' ? alice : bob).session.say(text).then(() => void (waiting[who] -= 1)));
      await turns(random(3));
      if (random(12) === 0) cut();
      clock.advance(random(1_000));
    }
    const all = Promise.all(said);
    while ((await Promise.race([all, turns(5)])) === undefined) clock.advance(1_000);
    assert.deepEqual(bob.texts().filter((text) => text.startsWith('in ')), texts.alice.map((text) => `in ${text}`));
    assert.deepEqual(alice.texts().filter((text) => text.startsWith('in ')), texts.bob.map((text) => `in ${text}`));
    assert.ok(alice.events.filter(({ event }) => event === 'session-back').length > 5);
    for (const { events } of [alice, bob]) assert.ok(events.every((event) => event.event !== 'session-back' || !event.restarted));
    await Promise.all([alice.session.close(), bob.end]);
  });
}
