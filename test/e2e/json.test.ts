/** The real programs, driven through `--json`: identity, sessions, large files, sudden deaths (README, JSON table). */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { JsonClient, startServer, type RealServer } from '../helpers/json-client.js';
import { outputFault } from '../helpers/json-schema.js';
import { peakResidentBytes } from '../helpers/memory.js';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const PASSWORD = 'correct horse battery';

describe('the programs through --json', () => {
  let folder: string;
  let server: RealServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-e2e-'));
    server = await startServer(join(folder, 'server'));
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function person(t: TestContext, user: string, { isNew = true, home = join(folder, user), port = server.port } = {}): Promise<JsonClient> {
    const client = await JsonClient.start({ port, user, password: PASSWORD, home, isNew, faultOf: outputFault });
    t.after(() => client.close());
    return client;
  }

  async function session(t: TestContext, one: string, other: string): Promise<{ from: JsonClient; to: JsonClient; toHome: string }> {
    const [from, to] = [await person(t, one), await person(t, other)];
    await Promise.all([to.next('session-opened'), from.command(`GET_CLIENT_INFO ${other}`)]);
    return { from, to, toHome: join(folder, other) };
  }

  it('knows a returning user from another machine by the same fingerprint', async (t) => {
    const first = await person(t, 'returning');
    await first.close();
    const second = await person(t, 'Returning', { isNew: false, home: join(folder, 'elsewhere') });
    assert.equal(second.fingerprint, first.fingerprint);
  });

  it('tells a program what a person would see: list, info, session, chat, end', async (t) => {
    const [ann, ben] = [await person(t, 'ann'), await person(t, 'ben')];
    const [list] = await Promise.all([ann.next('client-list'), ann.command('get_client_list be')]);
    assert.deepEqual(list['clients'], ['ben']);
    const [info, opened] = await Promise.all([ann.next('client-info'), ben.next('session-opened'), ann.command('GET_CLIENT_INFO<ben>')]);
    assert.equal(info['fingerprint'], ben.fingerprint);
    assert.deepEqual([opened['peer'], opened['direction'], opened['path'], opened['fingerprint']], ['ann', 'incoming', 'direct', ann.fingerprint]);
    const [heard] = await Promise.all([ben.next('message'), ann.say('GET_CLIENT_LIST is only text here\u001b]0;x\u0007', 'ben')]);
    assert.deepEqual([heard['direction'], heard['peer'], heard['text']], ['in', 'ann', 'GET_CLIENT_LIST is only text here\u001b]0;x\u0007']);
    await assert.rejects(ann.command('DISCONNECT_CLIENT'), /session-open: .*CLOSE_SESSION/u);
    const [closed] = await Promise.all([ben.next('session-closed'), ann.command('CLOSE_SESSION')]);
    assert.equal(closed['code'], 'closed-by-peer');
    await assert.rejects(ann.command('NO_SUCH_COMMAND'), /unknown-command/u);
    await Promise.all([ann.next('disconnected'), ann.command('DISCONNECT_CLIENT')]);
  });

  it('carries 5 GiB in constant memory', async (t) => {
    const { from, to, toHome } = await session(t, 'giver', 'taker');
    const path = join(folder, 'five-gib.bin');
    const file = await open(path, 'wx');
    await file.truncate(5 * GiB);
    // A sparse file with something at either end, around 4 GiB and at odd places.
    for (const offset of [0, 1, GiB + 12345, 4 * GiB - 1, 4 * GiB, 5 * GiB - 7]) await file.write('marker!', offset);
    await file.truncate(5 * GiB);
    await file.close();
    const [received, sent] = await Promise.all([to.transferEnd(), from.transferEnd(), from.command(`SEND_FILE ${path}`)]);
    const stored = join(toHome, 'received', 'five-gib.bin');
    assert.deepEqual([received['path'], received['bytes'], received['blake3']], [stored, 5 * GiB, sent['blake3']]);
    assert.equal(await hashOf(stored), sent['blake3']);
    assert.equal(await hashOf(path), sent['blake3']);
    for (const { user, pid } of [from, to]) {
      const peak = await peakResidentBytes(pid);
      assert.ok(peak < 200 * MiB, `${user} needed ${Math.round(peak / MiB)} MiB`);
    }
    await rm(stored);
    await rm(path);
  });

  it('carries several files both ways at once, and chat in between', async (t) => {
    const { from, to, toHome } = await session(t, 'left', 'right');
    const paths = await Promise.all([0, 1, 2].map((index) => randomFile(join(folder, `several-${index}.bin`), (40 + index) * MiB)));
    const done = (client: JsonClient, name: string) => client.next('transfer-done', (event) => event['name'] === name);
    const ends = [done(to, 'several-0.bin'), done(to, 'several-1.bin'), done(from, 'several-2.bin')];
    const received = [done(from, 'several-0.bin'), done(from, 'several-1.bin'), done(to, 'several-2.bin')];
    await Promise.all([from.command(`SEND_FILE ${paths[0]!}`), from.command(`SEND_FILE "${paths[1]!}"`), to.command(`SEND_FILE ${paths[2]!}`)]);
    for (let number = 0; number < 20; number += 1) await from.say(`message ${number}`, 'right');
    const finished = [...(await Promise.all(ends)), ...(await Promise.all(received))];
    for (const event of finished) assert.match(String(event['blake3']), /^[0-9a-f]{64}$/u);
    assert.equal(await hashOf(join(toHome, 'received', 'several-1.bin')), await hashOf(paths[1]!));
    assert.equal(await hashOf(join(folder, 'left', 'received', 'several-2.bin')), await hashOf(paths[2]!));
  });

  it('notices at once that a peer was killed, waits for it, and keeps what has come of a file without giving it its name', async (t) => {
    const { from, to, toHome } = await session(t, 'victim', 'witness');
    const path = await randomFile(join(folder, 'interrupted.bin'), 600 * MiB);
    const [waits, lost] = await Promise.all([
      to.next('transfer-state', (event) => event['state'] === 'reconnecting'),
      to.next('session-lost'),
      Promise.all([to.next('progress'), from.command(`SEND_FILE ${path}`)]).then(() => process.kill(from.pid, 'SIGKILL')),
    ]);
    assert.deepEqual([waits['name'], lost['peer']], ['interrupted.bin', 'victim']);
    assert.deepEqual(await filesIn(join(toHome, 'received')), []);
    const [failed, files] = await Promise.all([to.next('transfer-failed'), to.next('session-closed').then(() => to.next('files')), to.command('CLOSE_SESSION').then(() => to.command('LIST_FILES'))]);
    assert.deepEqual([failed['name'], failed['code']], ['interrupted.bin', 'session-closed']);
    const [leftover, ...others] = files['leftovers'] as { name: string; peer: string; bytes: number }[];
    assert.deepEqual([leftover?.name, leftover?.peer, others], ['interrupted.bin', 'victim', []]);
    assert.ok(leftover!.bytes > 0 && leftover!.bytes < 600 * MiB);
    assert.deepEqual(await filesIn(join(toHome, 'received')), []);
    await rm(path);
  });

  it('keeps sessions when the server is killed, finds it again, and no account is lost', async (t) => {
    const data = join(folder, 'killed-server');
    const first = await startServer(data);
    t.after(() => first.close());
    const ann = await person(t, 'ann', { port: first.port, home: join(folder, 'k-ann') });
    const ben = await person(t, 'ben', { port: first.port, home: join(folder, 'k-ben') });
    await Promise.all([ben.next('session-opened'), ann.command('GET_CLIENT_INFO ben')]);
    const lost = ann.next('server-lost');
    first.kill();
    await lost;
    const [heard] = await Promise.all([ben.next('message'), ann.say('still here', 'ben')]);
    assert.equal(heard['text'], 'still here');
    const back = Promise.all([ann.next('server-back'), ben.next('server-back')]);
    const second = await startServer(data, first.port);
    t.after(() => second.close());
    assert.equal(second.fingerprint, first.fingerprint);
    await back;
    const [list] = await Promise.all([ann.next('client-list'), ann.command('GET_CLIENT_LIST')]);
    assert.deepEqual(list['clients'], ['ann', 'ben']);
  });
});

async function randomFile(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'wx');
  const block = Buffer.allocUnsafe(MiB);
  for (let written = 0; written < bytes; written += MiB) {
    // Every block differs, so that a lost or repeated one is found.
    block.writeDoubleLE(written, (written / MiB) % 1000);
    await file.write(block);
  }
  await file.close();
  assert.equal((await stat(path)).size, bytes);
  return path;
}

/** None where there is no such folder. */
async function filesIn(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

async function hashOf(path: string): Promise<string> {
  const hasher = new Blake3Hasher();
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) hasher.update(chunk as Buffer);
  return hasher.digest('hex');
}
