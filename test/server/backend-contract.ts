/**
 * What every backend must do, whatever is behind it: run this suite for each implementation of server/backend.ts.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalUserName } from '../../src/protocol/names.js';
import type { Account, Backend, ListRequest, PresenceChange, RoutedMessage } from '../../src/server/backend.js';
import { testSecrets } from '../helpers/test-server.js';

export interface BackendMaker {
  /** An empty backend. */
  make(): Promise<Backend>;
  /** Closes `backend` and opens what it has stored anew. */
  reopen(backend: Backend): Promise<Backend>;
}

export function describeBackend(name: string, maker: BackendMaker): void {
  describe(`backend: ${name}`, () => {
    let backend: Backend;
    let received: { link: string; message: RoutedMessage }[];
    let sample: Account;
    beforeEach(async () => {
      sample = (await testSecrets()).decoy;
      backend = await maker.make();
      received = [];
      backend.receive((link, message) => received.push({ link, message }));
    });
    afterEach(() => backend.close());

    const message: RoutedMessage = { kind: 'ask-ended', introduction: 'A'.repeat(22) };
    const all: ListRequest = { prefix: '', after: undefined, limit: 1000 };

    it('creates an account once, without regard to case, and keeps it', async () => {
      assert.equal(await backend.createAccount({ ...sample, user: 'Alice' }), true);
      assert.equal(await backend.createAccount({ ...sample, user: 'aLICE' }), false);
      const secrets = backend.secrets;
      backend = await maker.reopen(backend);
      assert.deepEqual(await backend.findForLogin('alice'), { account: { ...sample, user: 'Alice' }, genuine: true });
      assert.deepEqual([await backend.hasAccount('alice'), await backend.hasAccount('bob')], [true, false]);
      assert.deepEqual(backend.secrets, secrets);
    });

    it('lets exactly one of many creators win', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, n) => backend.createAccount({ ...sample, user: n % 2 === 0 ? 'eve' : 'EVE' })));
      assert.equal(results.filter((created) => created).length, 1);
    });

    it('finds the decoy for a name without an account', async () => {
      assert.deepEqual(await backend.findForLogin('nobody'), { account: backend.secrets.decoy, genuine: false });
    });

    it('tells a displaced link, and a late withdrawal of it changes nothing', async () => {
      await backend.announce({ name: 'alice', link: 'one' }, 'Alice');
      await backend.announce({ name: 'alice', link: 'two' }, 'Alice');
      assert.deepEqual(received, [{ link: 'one', message: { kind: 'displaced' } }]);
      await backend.withdraw({ name: 'alice', link: 'one' });
      assert.deepEqual((await backend.list(all)).users, ['Alice']);
      await backend.withdraw({ name: 'alice', link: 'two' });
      assert.deepEqual(await backend.list(all), { users: [], total: 0, next: undefined });
    });

    it('delivers to whoever has the name, or to one link only', async () => {
      await backend.announce({ name: 'bob', link: 'one' }, 'Bob');
      assert.equal(await backend.deliver({ name: 'bob' }, message), true);
      assert.equal(await backend.deliver({ name: 'bob', link: 'one' }, message), true);
      assert.equal(await backend.deliver({ name: 'bob', link: 'older' }, message), false);
      assert.equal(await backend.deliver({ name: 'nobody' }, message), false);
      assert.deepEqual(received, [
        { link: 'one', message },
        { link: 'one', message },
      ]);
    });

    it('knows who is there and away, for as long as the link is', async () => {
      const address = { name: 'bob', link: 'one' };
      await backend.setAway(address, 'nobody is there');
      assert.deepEqual(await backend.find(['bob']), []);
      await backend.announce(address, 'Bob');
      await backend.setAway(address, 'lunch');
      assert.deepEqual(await backend.find(['nobody', 'bob']), [{ user: 'Bob', away: 'lunch' }]);
      assert.deepEqual((await backend.list(all)).away, [{ user: 'Bob', text: 'lunch' }]);
      await backend.announce({ name: 'bob', link: 'two' }, 'Bob');
      await backend.setAway(address, 'of a link that is displaced');
      assert.deepEqual(await backend.find(['bob']), [{ user: 'Bob', away: undefined }]);
      assert.deepEqual(await backend.list(all), { users: ['Bob'], total: 1, next: undefined });
    });

    it('tells every node what becomes of people', async () => {
      const changes: PresenceChange[] = [];
      backend.onPresence((change) => changes.push(change));
      const [one, two] = [{ name: 'bob', link: 'one' }, { name: 'bob', link: 'two' }];
      await backend.announce(one, 'Bob');
      await backend.setAway(one, 'lunch');
      await backend.announce(two, 'Bob');
      await backend.setAway(one, 'late');
      await backend.withdraw(one);
      await backend.withdraw(two);
      assert.deepEqual(changes, [
        { user: 'Bob', state: 'online', away: undefined },
        { user: 'Bob', state: 'away', away: 'lunch' },
        { user: 'Bob', state: 'online', away: undefined },
        { user: 'Bob', state: 'offline', away: undefined },
      ]);
    });

    it('lists like a sorted set, whatever comes and goes', async () => {
      const names = fc.stringMatching(/^[a-cA-C][a-cA-C0._-]{0,3}$/u);
      const step = fc.oneof(
        fc.record({ do: fc.constant('announce' as const), user: names }),
        fc.record({ do: fc.constant('withdraw' as const), user: names }),
        fc.record({ do: fc.constant('list' as const), prefix: fc.constantFrom('', 'a', 'ab', 'c.', 'zz'), after: fc.option(names, { nil: undefined }), limit: fc.integer({ min: 1, max: 4 }) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const model = new Map<string, string>();
          for (const one of steps) {
            if (one.do === 'list') {
              const request = { ...one, after: one.after?.toLowerCase() };
              assert.deepEqual(await backend.list(request), expectedPage(model, request));
              continue;
            }
            const address = { name: canonicalUserName(one.user), link: one.user };
            if (one.do === 'announce') {
              await backend.announce(address, one.user);
              model.set(address.name, one.user);
            } else {
              await backend.withdraw(address);
              if (model.get(address.name) === one.user) model.delete(address.name);
            }
          }
          for (const [name, link] of model) await backend.withdraw({ name, link });
          assert.equal((await backend.list(all)).total, 0);
        }),
        { numRuns: 60 },
      );
    });
  });
}

function expectedPage(model: ReadonlyMap<string, string>, { prefix, after, limit }: ListRequest) {
  const matching = [...model.keys()].filter((name) => name.startsWith(prefix)).sort();
  const rest = matching.filter((name) => after === undefined || name > after);
  const page = rest.slice(0, limit);
  return { users: page.map((name) => model.get(name)), total: matching.length, next: rest.length > page.length ? page.at(-1) : undefined };
}
