/** The program itself: start-up lines, exit codes, signals, kill -9 (DESIGN 6; HOSTILE 35, 36). */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorText } from '../../src/protocol/errors.js';
import { RawServerClient } from '../helpers/raw-server-client.js';
import { temporaryDirectory } from '../helpers/test-server.js';

const program = fileURLToPath(new URL('../../src/bin/p2p-server.js', import.meta.url));

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: AsyncIterator<string>;
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

function run(t: TestContext, ...args: string[]): Program {
  return attend(t, spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] }));
}

function attend(t: TestContext, child: ChildProcessWithoutNullStreams): Program {
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code: code as number | null, signal: signal as string | null, stderr }));
  return { child, stdout: createInterface(child.stdout)[Symbol.asyncIterator](), ended };
}

async function line({ stdout, ended }: Program): Promise<string> {
  const next = await stdout.next();
  if (next.done === true) throw new Error(`the program ended: ${JSON.stringify(await ended)}`);
  return next.value;
}

type Listening = Program & { readonly port: number; readonly fingerprint: string };

async function listening(t: TestContext, directory: string): Promise<Listening> {
  return await listens(run(t, '--port', '0', '--data', directory));
}

/** Reads the two lines of the start. */
async function listens(server: Program): Promise<Listening> {
  const port = /^p2p-server listening on \S+:(\d+)$/u.exec(await line(server))?.[1];
  const fingerprint = /^fingerprint (SHA256:\S{43})$/u.exec(await line(server))?.[1];
  assert.ok(port !== undefined && fingerprint !== undefined);
  return { ...server, port: Number(port), fingerprint };
}

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory();
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('p2p-server', { timeout: 60_000 }, () => {
  it('has an account that it acknowledged, and its key, after kill -9', async (t) => {
    const directory = await directoryFor(t);
    const first = await listening(t, directory);
    const client = await RawServerClient.open({ port: first.port });
    const identity = await client.register('alice', 'right');
    first.child.kill('SIGKILL');
    assert.equal((await first.ended).signal, 'SIGKILL');
    const second = await listening(t, directory);
    assert.equal(second.fingerprint, first.fingerprint);
    const result = await (await RawServerClient.open({ port: second.port })).login('alice', 'right');
    assert.equal(result?.identity.fingerprint, identity.fingerprint);
  });

  it('refuses an account that does not fit on the disk, goes on, and has the others', { skip: process.platform === 'win32' }, async (t) => {
    const directory = await directoryFor(t);
    const first = await listening(t, directory);
    first.child.kill('SIGTERM');
    await first.ended;
    // A limit on the size of files, in blocks of 512 bytes, stands in for a full disk: Node ignores SIGXFSZ, the write fails.
    const blocks = Math.ceil((await stat(join(directory, 'data.mdb'))).size / 512) + 40;
    const tight = await listens(attend(t, spawn('/bin/sh', ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, program, '--port', '0', '--data', directory])));
    const client = await RawServerClient.open({ port: tight.port });
    const stored: string[] = [];
    let refusal = '';
    while (refusal === '') {
      const user = `user${stored.length}`;
      await client.register(user, 'right').then(() => stored.push(user), (error: unknown) => (refusal = errorText(error)));
    }
    assert.match(refusal, /server-error/u);
    const again = await RawServerClient.open({ port: tight.port });
    for (const user of [...stored, 'nobody']) again.send({ type: 'name-check', id: again.nextId(), user });
    for (const user of stored) assert.equal((await again.expect('error')).code, 'name-taken', user);
    await again.expect('name-free');
    tight.child.kill('SIGKILL');
    await tight.ended;
    const roomy = await listening(t, directory);
    const last = await RawServerClient.open({ port: roomy.port });
    assert.ok(stored.length > 0);
    assert.ok((await last.login(stored.at(-1)!, 'right')) !== undefined);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`tells its clients and ends with 0 on ${signal}`, async (t) => {
      const server = await listening(t, await directoryFor(t));
      const client = await RawServerClient.open({ port: server.port });
      server.child.kill(signal);
      assert.equal((await client.expect('bye')).code, 'shutting-down');
      assert.equal((await server.ended).code, 0);
    });
  }

  it('ends at once on a second signal, though a client holds the first one up', async (t) => {
    const server = await listening(t, await directoryFor(t));
    const client = await RawServerClient.open({ port: server.port });
    // It does not see the end of the connection, so that a polite end takes its two seconds.
    client.socket.pause();
    const told = once(server.child.stderr, 'data');
    server.child.kill('SIGTERM');
    await told;
    server.child.kill('SIGTERM');
    assert.equal((await server.ended).code, 143);
  });

  it('listens at IPv6 and IPv4 alike, or at the one address it is told', async (t) => {
    const server = await listening(t, await directoryFor(t));
    await (await RawServerClient.open({ port: server.port, host: '127.0.0.1' })).end();
    const one = run(t, '--port', '0', '--host', '127.0.0.1', '--data', await directoryFor(t));
    assert.match(await line(one), /^p2p-server listening on 127\.0\.0\.1:\d+$/u);
  });

  it('says in one line that the port is in use, and ends with 1', async (t) => {
    const blocker = createServer().listen(0);
    t.after(() => blocker.close());
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const { code, stderr } = await run(t, '--port', String(port), '--data', await directoryFor(t)).ended;
    assert.equal(code, 1);
    assert.equal(stderr, `p2p-server: Port ${port} is in use. Stop the program that has it, or choose another with --port.\n`);
  });

  it('says in one line that the data directory is taken, damaged or none, and ends with 1', async (t) => {
    const directory = await directoryFor(t);
    const server = await listening(t, directory);
    const oneLine = async (data: string, text: RegExp) => {
      const { code, stderr } = await run(t, '--port', '0', '--data', data).ended;
      assert.equal(code, 1);
      assert.match(stderr, /^p2p-server: [^\n]+\n$/u);
      assert.match(stderr, text);
    };
    await oneLine(directory, /Another p2p-server uses/u);
    server.child.kill('SIGKILL');
    await server.ended;
    const file = join(directory, 'data.mdb');
    await truncate(file, 16_384);
    await oneLine(directory, /is damaged/u);
    await writeFile(file, 'not LMDB');
    await oneLine(directory, /is damaged/u);
    await oneLine(file, /Cannot use the data directory/u);
  });

  it('ends with 2 on an option that it does not know or cannot use, naming it', async (t) => {
    for (const [args, text] of [
      [['--port', 'x'], /--port/u],
      [['--host', 'nowhere.example'], /--host/u],
      [['--log-level', 'loud'], /--log-level/u],
      [['--prot', '1'], /--prot/u],
      [['extra'], /argument/u],
    ] as const) {
      const { code, stderr } = await run(t, ...args).ended;
      assert.equal(code, 2);
      assert.match(stderr, text);
    }
  });

  it('prints its version and help on stdout with 0', async (t) => {
    for (const [option, text] of [['--version', /^\d+\.\d+\.\d+$/u], ['--help', /^Usage: p2p-server/u]] as const) {
      const program = run(t, option);
      assert.match(await line(program), text);
      assert.equal((await program.ended).code, 0);
    }
  });

  it('logs who came and went as JSON when nobody sits at a terminal, and no address', async (t) => {
    const server = await listening(t, await directoryFor(t));
    const client = await RawServerClient.open({ port: server.port });
    await client.register('alice', 'right');
    await client.login('alice', 'right');
    server.child.kill('SIGTERM');
    const { stderr } = await server.ended;
    const lines = stderr.trim().split('\n').map((text) => JSON.parse(text) as { msg: string });
    assert.deepEqual(new Set(lines.map(({ msg }) => msg)), new Set(['registered', 'logged in', 'shutting down', 'link ended']));
    assert.doesNotMatch(stderr, /127\.0\.0\.1|::1|right/u);
  });
});
