/** Who is told of whose coming and going, and how calmly (PROTOCOL.md 5.5.1). */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { serverLimits, timeLimits } from '../../src/protocol/limits.js';
import type { ServerMessageOf } from '../../src/protocol/server-messages.js';
import type { Present, PresenceChange } from '../../src/server/backend.js';
import { Watches, type Watcher } from '../../src/server/watches.js';
import { ManualClock } from '../helpers/manual-clock.js';

const { presenceSettleMs, absenceSettleMs, presenceEveryMs } = timeLimits;

describe('watches', () => {
  let clock: ManualClock;
  let watches: Watches;
  let present: Map<string, Present>;
  beforeEach(() => {
    clock = new ManualClock();
    present = new Map();
    const find = (names: readonly string[]) => Promise.resolve(names.map((name) => present.get(name)).filter((one) => one !== undefined));
    watches = new Watches({ backend: { find }, clock });
  });

  function watcher(link: string): { readonly told: string[] } & Watcher {
    const told: string[] = [];
    return { link, told, tell: ({ user, state, text }: ServerMessageOf<'presence'>) => told.push([user, state, ...(text === undefined ? [] : [text])].join(' ')) };
  }

  function change(user: string, state: PresenceChange['state'], away?: string): void {
    const name = user.toLowerCase();
    if (state === 'offline') present.delete(name);
    else present.set(name, { user, away });
    watches.changed({ user, state, away });
  }

  it('says at once who is there, in the spelling of the registration', async () => {
    change('Bob', 'away', 'lunch');
    change('carol', 'online');
    assert.deepEqual(await watches.watch(watcher('a'), ['BOB', 'carol', 'nobody']), [{ user: 'Bob', away: 'lunch' }, { user: 'carol' }]);
  });

  it('tells who came soon, and who went once it is not coming back at once', async () => {
    const alice = watcher('a');
    await watches.watch(alice, ['bob']);
    change('bob', 'online');
    clock.advance(presenceSettleMs);
    assert.deepEqual(alice.told, ['bob online']);
    clock.advance(presenceEveryMs);
    change('bob', 'offline');
    clock.advance(absenceSettleMs - 1);
    assert.deepEqual(alice.told, ['bob online']);
    clock.advance(1);
    assert.deepEqual(alice.told, ['bob online', 'bob offline']);
  });

  it('says nothing of a link that breaks and is back', async () => {
    change('bob', 'away', 'lunch');
    const alice = watcher('a');
    await watches.watch(alice, ['bob']);
    change('bob', 'offline');
    clock.advance(absenceSettleMs - 1);
    change('bob', 'online');
    change('bob', 'away', 'lunch');
    clock.advance(60_000);
    assert.deepEqual(alice.told, []);
  });

  it('tells one who began to watch in between what is new to that one alone', async () => {
    change('bob', 'online');
    const [alice, carol] = [watcher('a'), watcher('c')];
    await watches.watch(alice, ['bob']);
    change('bob', 'offline');
    await watches.watch(carol, ['bob']);
    change('bob', 'online');
    clock.advance(60_000);
    assert.deepEqual([alice.told, carol.told], [[], ['bob online']]);
  });

  it('tells of one person only so often, and then how it is (HOSTILE: toggled AWAY)', async () => {
    change('bob', 'online');
    const alice = watcher('a');
    await watches.watch(alice, ['bob']);
    const spell = 10 * presenceEveryMs;
    for (let ms = 0; ms < spell; ms += presenceSettleMs) {
      change('bob', 'away', `${ms}`);
      clock.advance(presenceSettleMs);
    }
    assert.ok(alice.told.length > 0 && alice.told.length <= spell / presenceEveryMs + 1, `${alice.told.length} times`);
    change('bob', 'online');
    clock.advance(presenceEveryMs + presenceSettleMs);
    assert.equal(alice.told.at(-1), 'bob online');
  });

  it('tells only those who watch, from the last time they said whom', async () => {
    const [alice, carol] = [watcher('a'), watcher('c')];
    await watches.watch(alice, ['bob', 'dave']);
    await watches.watch(carol, ['eve']);
    await watches.watch(alice, ['dave']);
    for (const user of ['bob', 'dave', 'eve']) change(user, 'online');
    clock.advance(presenceSettleMs);
    assert.deepEqual([alice.told, carol.told], [['dave online'], ['eve online']]);
  });

  it('forgets everything with the link, news that were on their way included', async () => {
    const alice = watcher('a');
    await watches.watch(alice, ['bob', 'carol']);
    change('bob', 'online');
    watches.drop('a');
    watches.drop('a');
    assert.deepEqual([watches.size, clock.pending], [0, 0]);
    clock.advance(60_000);
    assert.deepEqual(alice.told, []);
  });

  it('keeps nothing of people whom nobody watches', () => {
    for (let n = 0; n < 1000; n += 1) change(`user${n}`, 'online');
    assert.deepEqual([watches.size, clock.pending], [0, 0]);
  });

  it('cuts away texts to what one reply may hold', async () => {
    const names = Array.from({ length: serverLimits.watchedPerLink }, (_, n) => `user${n}`);
    // Each of these characters takes six bytes of JSON.
    for (const user of names) change(user, 'away', '\u0001'.repeat(200));
    const there = await watches.watch(watcher('a'), names);
    assert.equal(there.length, names.length);
    const texts = there.map(({ away }) => JSON.stringify(away).length - 2).reduce((sum, length) => sum + length, 0);
    assert.ok(texts > 0 && texts <= serverLimits.awayBytesPerReply, `${texts} bytes`);
    assert.equal(there.at(-1)?.away, '');
  });
});
