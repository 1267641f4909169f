/** Files between real engines: what the engine itself decides, and a link that breaks in the middle; the rest is tested in transfer/. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { chooseOffer, chooseTransfer } from '../../src/client/transfer-choice.js';
import type { Session } from '../../src/client/session.js';
import type { TransferSnapshot } from '../../src/transfer/events.js';
import { peerCable } from '../helpers/peer-cable.js';
import { recordedTransfers } from '../helpers/session-pair.js';
import { loggedIn, temporaryFolder } from '../helpers/test-client.js';
import { startTestServer } from '../helpers/test-server.js';

type Options = Parameters<typeof loggedIn>[3];

async function setUp(t: TestContext, options: { readonly alice?: Options; readonly bob?: Options } = {}) {
  const cable = peerCable(t);
  const server = await startTestServer();
  t.after(() => server.dispose());
  const alice = await loggedIn(t, server.port, 'alice', options.alice);
  const bob = await loggedIn(t, server.port, 'bob', { accept: 'all', ...options.bob });
  await alice.api.openSession('bob');
  await Promise.all([alice.next('session-opened'), bob.next('session-opened')]);
  return { cable, alice, bob, folder: await temporaryFolder(t) };
}

describe('files of a client', () => {
  it('go on over the next link where the last one broke', async (t) => {
    const { cable, alice, bob, folder } = await setUp(t, { alice: { limitRate: 8 * 1024 * 1024 } });
    const path = join(folder, 'large');
    const bytes = randomBytes(12 * 1024 * 1024);
    await writeFile(path, bytes);
    const { finished } = await alice.api.sendFile(path);
    await bob.next('progress', (event) => event.bytes > 2 * 1024 * 1024);
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    assert.ok([...alice.api.transfers, ...bob.api.transfers].every(({ state }) => state === 'reconnecting'));
    alice.api.limitRate(undefined);
    assert.equal(alice.api.rateLimit, undefined);
    assert.equal((await finished).event, 'transfer-done');
    const done = await bob.next('transfer-done');
    assert.ok(done.resumed > 0, `${done.resumed} bytes were not sent again`);
    assert.ok((await readFile(done.path ?? '')).equals(bytes));
    assert.deepEqual(await bob.api.leftovers(), []);
  });

  it('come over a connection of their receiver once there is much of them, and chat goes along', async (t) => {
    const { cable, alice, bob, folder } = await setUp(t);
    const path = join(folder, 'large');
    const bytes = randomBytes(48 * 1024 * 1024);
    await writeFile(path, bytes);
    const second = cable.nextWire();
    const { finished } = await alice.api.sendFile(path);
    await second;
    await Promise.all([alice.api.say('to bob', 'bob'), bob.api.say('to alice', 'alice')]);
    assert.equal((await finished).event, 'transfer-done');
    assert.ok((await readFile((await bob.next('transfer-done')).path ?? '')).equals(bytes));
    assert.equal((await alice.next('message', ({ direction }) => direction === 'in')).text, 'to alice');
    assert.equal((await bob.next('message', ({ direction }) => direction === 'in')).text, 'to bob');
    // A break of what is now the link is noticed and mended as ever.
    cable.cut();
    await Promise.all([alice.next('session-back'), bob.next('session-back')]);
    await alice.api.say('still there', 'bob');
  });

  it('are offered again to a program that was started anew', async (t) => {
    const cable = peerCable(t);
    const server = await startTestServer();
    t.after(() => server.dispose());
    const alice = await loggedIn(t, server.port, 'alice', { limitRate: 8 * 1024 * 1024 });
    const bob = await loggedIn(t, server.port, 'bob', { accept: 'all' });
    await alice.api.openSession('bob');
    const path = join(await temporaryFolder(t), 'large');
    const bytes = randomBytes(12 * 1024 * 1024);
    await writeFile(path, bytes);
    const { finished } = await alice.api.sendFile(path);
    await bob.next('progress', (event) => event.bytes > 2 * 1024 * 1024);
    cable.refuses = true;
    cable.cut();
    await bob.next('session-lost');
    const again = await loggedIn(t, server.port, 'bob', { known: true, accept: 'all' });
    cable.refuses = false;
    alice.api.limitRate(undefined);
    await again.api.openSession('alice');
    assert.equal((await finished).event, 'transfer-done');
    assert.ok((await readFile((await again.next('transfer-done')).path ?? '')).equals(bytes));
    assert.equal((await alice.next('session-back')).restarted, true);
  });

  it('come from stdin and go to stdout where asked for, once', async (t) => {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const { alice, bob, folder } = await setUp(t, { alice: { streams: { stdin } }, bob: { received: '-', streams: { stdout } } });
    await assert.rejects(alice.api.sendFile('-'), { code: 'bad-argument', message: /needs a name/u });
    await assert.rejects(alice.api.sendFile(join(folder, 'x'), 'y'), { code: 'bad-argument' });
    await assert.rejects(bob.api.sendFile('-', 'x'), { code: 'bad-argument', message: /Stdin/u });
    const arrived = buffer(stdout);
    const { finished } = await alice.api.sendFile('-', 'piped.txt');
    await assert.rejects(alice.api.sendFile('-', 'again'), { code: 'bad-argument', message: /already/u });
    stdin.write('first ');
    stdin.end('and last');
    assert.equal((await finished).event, 'transfer-done');
    await bob.next('transfer-done');
    stdout.end();
    assert.equal((await arrived).toString(), 'first and last');
  });

  it('are taken from those who are named, up to a size; a person is asked about others', async (t) => {
    const { alice, bob, folder } = await setUp(t, { bob: { acceptFrom: ['alice'], maxFile: 10, acceptOtherwise: 'ask' } });
    await Promise.all([writeFile(join(folder, 'small'), '1234567890'), writeFile(join(folder, 'large'), '12345678901')]);
    await (await alice.api.sendFile(join(folder, 'small'))).finished;
    const large = await alice.api.sendFile(join(folder, 'large'));
    const offer = await bob.next('offer', ({ name }) => name === 'large');
    assert.equal(offer.decision, 'ask');
    await bob.api.rejectFile();
    const outcome = await large.finished;
    assert.ok(outcome.event === 'transfer-failed' && outcome.code === 'rejected');
  });

  it('can be paused and resumed by either side, without a number where only one fits', async (t) => {
    const { alice, bob, folder } = await setUp(t, { alice: { limitRate: 1024 * 1024 } });
    await assert.rejects(alice.api.pauseFile(), { code: 'no-such-transfer', message: /could be paused/u });
    await writeFile(join(folder, 'large'), Buffer.alloc(4 * 1024 * 1024));
    const { finished } = await alice.api.sendFile(join(folder, 'large'));
    await bob.next('progress', (event) => event.bytes > 0);
    await assert.rejects(bob.api.resumeFile(), { code: 'no-such-transfer', message: /No transfer is paused/u });
    await bob.api.pauseFile();
    await alice.next('transfer-state', ({ state, waits }) => state === 'paused' && waits === 'paused-by-peer');
    await bob.api.resumeFile();
    alice.api.limitRate(undefined);
    assert.equal((await finished).event, 'transfer-done');
  });
});

describe('a number that stands for a transfer', () => {
  const snapshot = (id: number, state: TransferSnapshot['state'], more: Partial<TransferSnapshot> = {}): TransferSnapshot => {
    return { id, peer: 'bob', direction: 'incoming', name: `file ${id}`, kind: 'file', size: 1, files: 1, bytes: 0, state, rate: 0, ...more };
  };
  const sessions = (...all: TransferSnapshot[][]): Session[] =>
    all.map((snapshots) => ({ transfers: { ...recordedTransfers([]), snapshots: () => snapshots, hasOffer: (id: number) => snapshots.some((one) => one.id === id && one.state === 'offered') } }) as unknown as Session);

  it('may be left out for the oldest offer of all sessions', () => {
    const two = sessions([snapshot(3, 'offered'), snapshot(4, 'running')], [snapshot(2, 'offered')]);
    assert.equal(chooseOffer(two, undefined).id, 2);
    assert.equal(chooseOffer(two, 3).id, 3);
    assert.throws(() => chooseOffer(two, 4), { code: 'no-such-offer', message: /2 \(file 2\), 3 \(file 3\)/u });
    assert.throws(() => chooseOffer([], undefined), { code: 'no-such-offer', message: /No file is being offered/u });
  });

  it('may be left out where one transfer fits the command', () => {
    const two = sessions([snapshot(1, 'offered'), snapshot(2, 'running')], [snapshot(3, 'paused', { waits: 'paused-by-you' })]);
    assert.equal(chooseTransfer(two, 'PAUSE_FILE', undefined).id, 2);
    assert.equal(chooseTransfer(two, 'RESUME_FILE', undefined).id, 3);
    assert.equal(chooseTransfer(two, 'CANCEL_FILE', 1).id, 1);
    assert.throws(() => chooseTransfer(two, 'CANCEL_FILE', undefined), { code: 'no-such-transfer', message: /CANCEL_FILE n, with n one of 1 \(file 1\), 2 \(file 2\), 3 \(file 3\)/u });
    assert.throws(() => chooseTransfer(two, 'PAUSE_FILE', 9), { message: /one of 2 \(file 2\)\./u });
    assert.throws(() => chooseTransfer([], 'CANCEL_FILE', undefined), { message: /No transfer is under way/u });
  });
});
