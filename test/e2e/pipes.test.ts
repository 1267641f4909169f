/** Real pipelines of a shell: files from stdin and to stdout, and the options that narrow what is taken. (README, Files) */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { CLIENT, JsonClient, startServer, type JsonEvent, type RealServer } from '../helpers/json-client.js';
import { Program } from '../helpers/processes.js';
import { Scene } from '../helpers/scene.js';
import { Random } from '../helpers/trees.js';

const MiB = 1024 * 1024;

describe('a pipe', () => {
  let folder: string;
  let server: RealServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-pipes-'));
    server = await startServer(join(folder, 'server'));
    for (const user of ['alice', 'bob']) {
      const client = await JsonClient.start({ port: server.port, user, password: 'of everybody', home: join(folder, user), isNew: true });
      await client.close();
    }
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** `before | client | after`, as one would type it; what the client says on stderr is in `said`. */
  function pipeline(t: TestContext, user: string, args: readonly string[], { input = 'true', output = 'cat' }: { input?: string; output?: string } = {}): Program {
    const client = `"$0" 127.0.0.1 ${server.port} --user ${user} --home "$1" "\${@:2}"`;
    const program = new Program('bash', ['-o', 'pipefail', '-c', `${input} | ${client} | ${output}`, CLIENT, join(folder, user), ...args], {
      env: { ...process.env, P2P_PASSWORD: 'of everybody', NO_COLOR: '1' },
    });
    t.after(() => program.stop());
    return program;
  }

  const sends = (name: string): string[] => ['--exec', 'GET_CLIENT_INFO bob', '--exec', `SEND_FILE - ${name}`];
  const takesOne = ['--accept', 'all', '--received', '-'];

  for (const bytes of [64 * MiB, 12_345, 1, 0]) {
    it(`carries ${bytes} bytes from one program into another`, { timeout: 60_000 }, async (t) => {
      const content = new Random(bytes).bytes(bytes);
      const source = join(folder, `source ${bytes}`);
      await writeFile(source, content);
      const bob = pipeline(t, 'bob', takesOne, { output: 'sha256sum' });
      await bob.untilSaid(/You are bob/u);
      const alice = pipeline(t, 'alice', sends('stream.bin'), { input: `cat '${source}'` });
      const said = await bob.untilSaid(/^(?<hash>[0-9a-f]{64}) {2}-$/mu, 50_000);
      assert.equal(said.groups?.['hash'], createHash('sha256').update(content).digest('hex'));
      assert.deepEqual([await alice.exitCode(), await bob.exitCode()], [0, 0], `${alice.said}\n${bob.said}`);
      assert.deepEqual(await readdir(join(folder, 'bob')).then((names) => names.filter((name) => name === 'received')), []);
    });
  }

  it('can be stored as a file by the other side', { timeout: 60_000 }, async (t) => {
    const bob = pipeline(t, 'bob', ['--accept', 'all', '--stay']);
    await bob.untilSaid(/You are bob/u);
    const alice = pipeline(t, 'alice', sends('"words of the day.txt"'), { input: "printf 'some words'" });
    assert.equal(await alice.exitCode(), 0, alice.said);
    assert.equal(await readFile(join(folder, 'bob/received/words of the day.txt'), 'utf8'), 'some words');
  });

  it('takes a file that is on a disk as well, and only one', { timeout: 60_000 }, async (t) => {
    const source = join(folder, 'plain.txt');
    await writeFile(source, 'plain');
    const bob = pipeline(t, 'bob', takesOne, { output: 'cat >&2' });
    await bob.untilSaid(/You are bob/u);
    const alice = pipeline(t, 'alice', ['--exec', 'GET_CLIENT_INFO bob', '--exec', `SEND_FILE '${source}'`]);
    assert.deepEqual([await alice.exitCode(), await bob.exitCode()], [0, 0], `${alice.said}\n${bob.said}`);
    assert.match(bob.said, /plain/u);
  });

  it('does not take a folder', { timeout: 60_000 }, async (t) => {
    const bob = pipeline(t, 'bob', takesOne);
    await bob.untilSaid(/You are bob/u);
    const alice = pipeline(t, 'alice', ['--exec', 'GET_CLIENT_INFO bob', '--exec', `SEND_FILE '${join(folder, 'alice')}'`]);
    assert.equal(await alice.exitCode(), 1, alice.said);
    assert.ok(bob.running, 'it goes on waiting for a file');
  });

  it('that breaks on the receiving side fails on both', { timeout: 60_000 }, async (t) => {
    const bob = pipeline(t, 'bob', takesOne, { output: 'head -c 10 >/dev/null' });
    await bob.untilSaid(/You are bob/u);
    const alice = pipeline(t, 'alice', sends('long.bin'), { input: `head -c ${64 * MiB} /dev/zero` });
    assert.notEqual(await bob.exitCode(), 0, bob.said);
    assert.notEqual(await alice.exitCode(), 0, alice.said);
  });
});

describe('what is taken', () => {
  async function refused(scene: Scene, path: string): Promise<JsonEvent> {
    const [failed] = await Promise.all([scene.alice.next('transfer-failed', undefined, 20_000), scene.alice.command(`SEND_FILE "${path}"`)]);
    return failed;
  }

  it('is said to be there already when it is identical, and gets a number when only the name is the same', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const path = join(scene.folder, 'notes.tar.gz');
    await writeFile(path, 'first');
    await scene.send(path, 'notes.tar.gz');
    const again = await scene.send(path, 'notes.tar.gz');
    for (const end of [again.sent, again.taken]) assert.deepEqual([end['same'], end['resumed'], end['bytes']], [1, 5, 5]);
    assert.equal(again.taken['path'], scene.received('notes.tar.gz'));
    await writeFile(path, 'other');
    const other = await scene.send(path, 'notes.tar.gz');
    assert.deepEqual([other.taken['path'], other.taken['same']], [scene.received('notes (1).tar.gz'), 0]);
    assert.deepEqual((await readdir(scene.received())).sort(), ['notes (1).tar.gz', 'notes.tar.gz']);
    assert.equal(await readFile(scene.received('notes.tar.gz'), 'utf8'), 'first');
    assert.equal(await readFile(scene.received('notes (1).tar.gz'), 'utf8'), 'other');
  });

  it('is narrowed by --max-file and by --accept-from', { timeout: 60_000 }, async (t) => {
    for (const [code, ...options] of [['too-large', '--max-file', '1K'], ['rejected-by-policy', '--accept-from', 'carol,dave']] as const) {
      const scene = await Scene.open(t, { options: { bob: options } });
      const path = join(scene.folder, 'large.bin');
      await writeFile(path, Buffer.alloc(1001));
      assert.equal((await refused(scene, path))['code'], code);
      assert.deepEqual(await readdir(scene.received()).catch(() => []), []);
    }
    const scene = await Scene.open(t, { options: { bob: ['--max-file', '1K', '--accept-from', 'carol,Alice'] } });
    const path = join(scene.folder, 'small.bin');
    await writeFile(path, Buffer.alloc(1000));
    await scene.send(path, 'small.bin');
  });

  it('lands where --received says', { timeout: 60_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-elsewhere-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const scene = await Scene.open(t, { options: { bob: ['--received', join(folder, 'not yet there')] } });
    const path = join(scene.folder, 'a.txt');
    await writeFile(path, 'a');
    const { taken } = await scene.send(path, 'a.txt');
    assert.equal(taken['path'], join(folder, 'not yet there', 'a.txt'));
  });

  for (const person of ['alice', 'bob'] as const) {
    it(`comes no faster than the --limit-rate of ${person === 'alice' ? 'the sender' : 'the receiver'}`, { timeout: 60_000 }, async (t) => {
      const scene = await Scene.open(t, { options: { [person]: ['--limit-rate', '10M'] } });
      const path = join(scene.folder, 'film.bin');
      await writeFile(path, new Random(1).bytes(25e6));
      const started = performance.now();
      await scene.send(path, 'film.bin');
      const seconds = (performance.now() - started) / 1000;
      t.diagnostic(`25 MB in ${seconds.toFixed(2)} s`);
      // A second's worth at most may go at once.
      assert.ok(seconds >= 1.4, `25 MB in ${seconds.toFixed(2)} s`);
      assert.ok(seconds < 10, `25 MB in ${seconds.toFixed(2)} s`);
    });
  }
});
