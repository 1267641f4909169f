/** What the client makes of the server's news about people: what is told, what is not, what is said again on a new link. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ClientEventOf } from '../../src/client/api.js';
import { Presence } from '../../src/client/presence.js';
import { LinkLost } from '../../src/protocol/errors.js';
import { serverLimits, textLimits, timeLimits } from '../../src/protocol/limits.js';
import type { ClientMessage, ServerMessageOf } from '../../src/protocol/server-messages.js';
import { ManualClock } from '../helpers/manual-clock.js';

describe('presence', () => {
  let clock: ManualClock;
  let presence: Presence;
  let events: string[];
  /** What the server was asked, without ids. */
  let asked: object[];
  let there: ServerMessageOf<'watching'>['present'];
  let link: 'up' | 'down' | 'old';
  beforeEach(() => {
    clock = new ManualClock();
    events = [];
    asked = [];
    there = [];
    link = 'up';
    presence = new Presence({
      clock,
      serverLink: () => {
        if (link === 'down') throw new LinkLost('link-lost', 'The server cannot be reached.');
        const request = (message: ClientMessage) => {
          asked.push(message);
          return Promise.resolve({ present: there });
        };
        return { supports: () => link === 'up', request: request as never };
      },
      emit: ({ user, state, text, before }: ClientEventOf<'presence'>) => events.push([user, state, ...(text === undefined ? [] : [text])].join(' ') + `, was ${before ?? 'unknown'}`),
    });
  });

  const news = (user: string, state: 'online' | 'away' | 'offline', text?: string) => presence.onPresence({ type: 'presence', user, state, ...(text === undefined ? {} : { text }) });

  it('knows how it is at the beginning, and tells only what is new', async () => {
    there = [{ user: 'Bob' }, { user: 'carol', away: 'lunch' }];
    await presence.watch(['bob', 'carol', 'dave']);
    assert.deepEqual(presence.people, [{ user: 'Bob', state: 'online' }, { user: 'carol', state: 'away', text: 'lunch' }, { user: 'dave', state: 'offline' }]);
    news('Bob', 'online');
    news('dave', 'online');
    news('Bob', 'away', 'tea');
    assert.deepEqual(events, ['dave online, was offline', 'Bob away tea, was online']);
  });

  it('ignores news of people whom it does not watch (hostile server)', async () => {
    await presence.watch(['bob']);
    for (let n = 0; n < 1000; n += 1) news(`user${n}`, 'online');
    assert.deepEqual([events, presence.people.length, clock.pending], [[], 1, 0]);
  });

  it('passes on news of one person only so often, and then how it is (hostile server)', async () => {
    await presence.watch(['bob']);
    for (let n = 0; n < 500; n += 1) {
      news('bob', 'online');
      news('bob', 'away', `${n}`);
    }
    assert.deepEqual(events, ['bob online, was offline']);
    clock.advance(timeLimits.presenceEveryMs);
    assert.deepEqual(events, ['bob online, was offline', 'bob away 499, was online']);
    assert.equal(clock.pending, 0);
  });

  it('says everything again on a new link', async () => {
    await presence.setAway('lunch');
    await presence.watch(['bob']);
    asked.length = 0;
    await presence.renew();
    assert.deepEqual(asked, [{ type: 'away', text: 'lunch' }, { type: 'watch', users: ['bob'] }]);
  });

  it('does not tell that everybody is gone when the server was started anew, only who stays away', async () => {
    there = [{ user: 'bob' }, { user: 'carol' }];
    await presence.watch(['bob', 'carol', 'dave']);
    there = [{ user: 'dave' }];
    await presence.renew();
    assert.deepEqual(events, ['dave online, was offline']);
    news('bob', 'online');
    clock.advance(timeLimits.presenceReturnMs);
    assert.deepEqual(events, ['dave online, was offline', 'carol offline, was online']);
  });

  it('watches no more than a server allows: those named last', async () => {
    const many = Array.from({ length: serverLimits.watchedPerLink + 5 }, (_, n) => `user${n}`);
    await presence.watch(many);
    assert.deepEqual(asked, [{ type: 'watch', users: many.slice(5) }]);
    await presence.watch(['user7', 'bob']);
    assert.deepEqual(asked.at(-1), { type: 'watch', users: [...many.slice(6).filter((name) => name !== 'user7'), 'user7', 'bob'] });
  });

  it('asks nothing twice, and nothing of a server that cannot tell', async () => {
    await presence.watch(['bob']);
    await presence.watch(['BOB']);
    assert.equal(asked.length, 1);
    link = 'old';
    await presence.watch(['carol']);
    await presence.renew();
    assert.equal(asked.length, 1);
    await assert.rejects(presence.look('dave'), { code: 'unavailable', message: /update/u });
    await assert.rejects(presence.setAway('lunch'), { code: 'unavailable' });
  });

  it('asks the server whenever it is asked, as news may be late', async () => {
    there = [{ user: 'bob' }];
    assert.equal((await presence.look('bob')).state, 'online');
    there = [];
    assert.equal((await presence.look('bob')).state, 'offline');
    assert.equal(asked.length, 2);
  });

  it('keeps whom to watch while the link is down', async () => {
    link = 'down';
    await presence.watch(['bob']);
    await assert.rejects(presence.look('bob'), { code: 'link-lost' });
    await assert.rejects(presence.setAway('lunch'), { code: 'link-lost' });
    assert.equal(presence.away, undefined);
    link = 'up';
    there = [{ user: 'bob' }];
    await presence.renew();
    assert.deepEqual(presence.people, [{ user: 'bob', state: 'online' }]);
  });

  it('takes back, and takes no text that is empty or too long', async () => {
    await presence.setAway('  lunch ');
    assert.equal(presence.away, 'lunch');
    for (const text of [' ', 'x'.repeat(textLimits.awayChars + 1)]) await assert.rejects(presence.setAway(text), { code: 'bad-argument' });
    await presence.setAway(undefined);
    assert.equal(presence.away, undefined);
    assert.deepEqual(asked, [{ type: 'away', text: 'lunch' }, { type: 'away' }]);
  });

  it('tells nothing of one who is not wanted any more, nor after the end', async () => {
    await presence.watch(['bob', 'carol']);
    await presence.forget('bob');
    assert.deepEqual(asked.at(-1), { type: 'watch', users: ['carol'] });
    news('bob', 'online');
    presence.close();
    news('carol', 'online');
    assert.deepEqual([events, clock.pending], [[], 0]);
  });
});
