/** An engine of its own for a test: in this process, with a home that goes away, and its events to wait for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClientApi, ClientEvent, ClientEventOf } from '../../src/client/api.js';
import { createClient } from '../../src/client/engine.js';
import type { ClientOptions } from '../../src/client/options.js';
import type { ClientStreams } from '../../src/client/shared-transfers.js';
import { systemClock, type Clock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';

export const PASSWORD = 'correct horse';

export interface TestClient {
  readonly api: ClientApi;
  readonly home: string;
  readonly events: readonly ClientEvent[];
  /**
   * The next event of this name that was not returned before, and for which `where` holds; waits for it.
   */
  next<TName extends ClientEvent['event']>(name: TName, where?: (event: ClientEventOf<TName>) => boolean): Promise<ClientEventOf<TName>>;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'p2p-client-test-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export interface Surroundings {
  readonly clock?: Clock;
  readonly streams?: ClientStreams;
}

/** What a client of the command line has without any option. */
export function clientOptions(options: Partial<ClientOptions> & Pick<ClientOptions, 'home' | 'port'>): ClientOptions {
  return {
    host: '127.0.0.1',
    accept: 'ask',
    acceptFrom: undefined,
    maxFile: undefined,
    acceptOtherwise: 'ask',
    received: join(options.home, 'received'),
    limitRate: undefined,
    sessions: 'auto',
    listenPort: 0,
    pin: undefined,
    agent: 'test/1',
    ...options,
  };
}

/** Not connected yet. */
export async function testClient(t: TestContext, options: Partial<ClientOptions> & Surroundings & { readonly port: number }): Promise<TestClient> {
  const { clock = systemClock, streams, home = await temporaryFolder(t), ...rest } = options;
  const api = createClient(clientOptions({ ...rest, home }), clock, streams);
  const events: ClientEvent[] = [];
  const used = new Set<ClientEvent>();
  let arrival = deferred<undefined>();
  api.onEvent((event) => {
    events.push(event);
    arrival.resolve(undefined);
    arrival = deferred();
  });
  t.after(() => api.close());
  return {
    api,
    home,
    events,
    async next(name, where = () => true) {
      for (;;) {
        const found = events.find((event): event is ClientEventOf<typeof name> => event.event === name && !used.has(event) && where(event as ClientEventOf<typeof name>));
        if (found !== undefined) {
          used.add(found);
          return found;
        }
        await arrival.promise;
      }
    },
  };
}

/** Connected and logged in as `user`, with a new account unless `known`. */
export async function loggedIn(t: TestContext, port: number, user: string, options: Partial<ClientOptions> & Surroundings & { readonly known?: boolean } = {}): Promise<TestClient> {
  const { known = false, ...rest } = options;
  const client = await testClient(t, { port, ...rest });
  await client.api.connect();
  if (known) await client.api.login(user, PASSWORD);
  else await client.api.register(user, PASSWORD);
  return client;
}
