/** The engine as a library: `connect`, several clients in one process, events as a stream, options that will not do. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { connect, P2pError, type Client, type ConnectOptions, type StreamedEvent } from '../../src/client/library.js';
import { clientLimits } from '../../src/protocol/limits.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

const PASSWORD = 'correct horse';

describe('connect', () => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-library-'));
    server = await startTestServer();
  });
  after(async () => {
    await server.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function person(t: TestContext, user: string, more: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = await connect({ host: '127.0.0.1', port: server.port, user, password: PASSWORD, new: true, home: join(folder, user), ...more });
    t.after(() => client.close());
    return client;
  }

  it('gives clients that talk and send files, any number in one process', async (t) => {
    const [ann, ben] = [await person(t, 'ann'), await person(t, 'ben', { accept: 'all' })];
    assert.deepEqual([ann.user, ben.user], ['ann', 'ben']);
    assert.deepEqual((await ann.listClients()).clients, ['ann', 'ben']);
    await ann.openSession('ben');
    await ann.say('hello');
    await writeFile(join(folder, 'report.txt'), 'the report');
    const { finished } = await ann.sendFile(join(folder, 'report.txt'));
    assert.equal((await finished).event, 'transfer-done');
    const heard = await until(ben, 'transfer-done');
    assert.deepEqual(heard.slice(0, 2).map(({ event }) => event), ['connected', 'logged-in']);
    assert.ok(heard.some((event) => event.event === 'message' && event.direction === 'in' && event.text === 'hello'));
    assert.equal(await readFile(join(folder, 'ben', 'received', 'report.txt'), 'utf8'), 'the report');
    await ann.close();
    assert.equal((await until(ben, 'session-closed')).at(-1)?.event, 'session-closed');
  });

  it('loses no message to a loop that is slower than its peer, and keeps few of them', async (t) => {
    const [quick, slow] = [await person(t, 'quick'), await person(t, 'slow')];
    await quick.openSession('slow');
    const count = 3 * clientLimits.unreadEvents;
    const said = (async () => {
      // A few at a time, as a peer waits for its own turn; all of them are far more than the buffer holds.
      for (let number = 0; number < count; number += 100) await Promise.all(Array.from({ length: 100 }, (_, index) => quick.say(String(number + index))));
    })();
    const heard: string[] = [];
    for await (const event of slow) {
      assert.notEqual(event.event, 'events-dropped');
      if (event.event !== 'message') continue;
      heard.push(event.text);
      if (heard.length === count) break;
      await new Promise(setImmediate);
    }
    await said;
    assert.deepEqual(heard, Array.from({ length: count }, (_, index) => String(index)));
  });

  it('lets a loop answer each message and wait for that, while many more come', async (t) => {
    const [asker, replier] = [await person(t, 'asker'), await person(t, 'replier')];
    await asker.openSession('replier');
    const count = 2 * clientLimits.unreadEventsBeforeHold;
    const asked = Promise.all(Array.from({ length: count }, (_, index) => asker.say(String(index))));
    let answered = 0;
    for await (const event of replier) {
      if (event.event !== 'message' || event.direction !== 'in') continue;
      await replier.say(`and ${event.text}`, event.peer);
      answered += 1;
      if (answered === count) break;
    }
    await asked;
  });

  // With the peer held back the end would not come before that.
  it('lets a loop wait for the end of what it sends, while many messages come', { timeout: clientLimits.holdMs - 2_000 }, async (t) => {
    const [giver, taker] = [await person(t, 'giver'), await person(t, 'taker', { accept: 'all' })];
    await giver.openSession('taker');
    const path = join(folder, 'large.bin');
    await writeFile(path, Buffer.alloc(20_000_000, 7));
    const transfer = await giver.sendFile(path);
    const chatter = Promise.all(Array.from({ length: 3 * clientLimits.unreadEventsBeforeHold }, (_, index) => taker.say(String(index), 'giver')));
    for await (const event of giver) {
      if (event.event !== 'message') continue;
      assert.equal((await transfer.finished).event, 'transfer-done');
      break;
    }
    await chatter;
  });

  it('ends the stream after disconnected', async (t) => {
    const client = await person(t, 'short');
    await client.disconnect();
    const events: StreamedEvent[] = [];
    for await (const event of client) events.push(event);
    assert.deepEqual(events.map(({ event }) => event), ['connected', 'logged-in', 'disconnected']);
  });

  it('rejects with the code of what went wrong, and leaves nothing open', async (t) => {
    await person(t, 'known');
    const known = { host: '127.0.0.1', port: server.port, user: 'known', password: 'of somebody else', home: folder };
    await assert.rejects(connect(known), (error) => error instanceof P2pError && error.code === 'not-authenticated');
    await assert.rejects(connect({ ...known, new: true }), { code: 'name-taken' });
    await assert.rejects(connect({ ...known, pin: `SHA256:${'A'.repeat(43)}` }), { code: 'server-key-changed' });
  });

  it('heeds its signal before, while and after it connects', async (t) => {
    const options = { host: '127.0.0.1', port: server.port, user: 'stopped', password: PASSWORD, new: true, home: join(folder, 'stopped') };
    await assert.rejects(connect({ ...options, signal: AbortSignal.abort() }), { code: 'closed' });
    const early = new AbortController();
    const connecting = connect({ ...options, signal: early.signal });
    early.abort();
    await assert.rejects(connecting, P2pError);
    const late = new AbortController();
    const client = await person(t, 'stopped', { signal: late.signal });
    late.abort();
    assert.equal((await until(client, 'disconnected')).at(-1)?.event, 'disconnected');
  });

  it('refuses names that are none, which a program may have from anybody, and keeps its link and its pins', async (t) => {
    const client = await person(t, 'careful');
    const name = 'a b\nc';
    const key = `SHA256:${'A'.repeat(43)}`;
    const calls = [client.openSession(name), client.watchUser(name), client.listClients(name), client.whois(name), client.acceptKey(name, key), client.block(name), client.unblock(name)];
    for (const outcome of await Promise.allSettled(calls)) assert.equal((outcome as { reason?: { code: string } }).reason?.code, 'bad-name');
    await assert.rejects(client.safetyNumber(name), { code: 'unknown-peer' });
    assert.deepEqual((await client.listClients('careful')).clients, ['careful']);
    await client.close();
    assert.ok((await until(client, 'disconnected')).every(({ event }) => event !== 'server-lost'));
  });

  it('shows no way around the stream or to a second login', async (t) => {
    const client = await person(t, 'plain');
    for (const name of ['onEvent', 'connect', 'login', 'register', 'checkName']) {
      assert.equal(Reflect.get(client, name), undefined);
      assert.equal(Reflect.has(client, name), false);
    }
    assert.ok('say' in client && Symbol.asyncIterator in client);
  });

  const good: ConnectOptions = { host: 'localhost', user: 'a', password: 'b' };
  const bad: [what: string, options: object, named: RegExp][] = [
    ['a host with a space', { ...good, host: 'a b' }, /host/u],
    ['no password', { ...good, password: '' }, /password/u],
    ['a port as text', { ...good, port: '9090' }, /port/u],
    ['a user name that is none', { ...good, user: 'a b' }, /user/u],
    ['a policy that is none', { ...good, accept: 'perhaps' }, /accept/u],
    ['a port of the system', { ...good, listenPort: 80 }, /listenPort.*1024/u],
    ['stdout as folder', { ...good, received: '-' }, /received/u],
    ['a rate of nothing', { ...good, limitRate: 0 }, /limitRate/u],
    ['narrowing of what is not taken', { ...good, maxFile: 5 }, /maxFile.*accept: 'all'/u],
    ['an option that is none', { ...good, acept: 'all' }, /"acept".*accept/u],
  ];
  for (const [what, options, named] of bad) {
    it(`refuses ${what} by name, before anything is opened`, async () => {
      await assert.rejects(connect(options as ConnectOptions), (error) => error instanceof P2pError && error.code === 'bad-argument' && named.test(error.message));
    });
  }
});

/** Reads to the first event of that name, or to the end. */
async function until(client: Client, name: StreamedEvent['event']): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of client) {
    events.push(event);
    if (event.event === name) break;
  }
  return events;
}
