/** The real client as a script: commands from arguments and stdin, exit codes, signals (README, Scripts). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CLIENT, JsonClient, startServer, type RealServer } from '../helpers/json-client.js';

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string;
  readonly password?: string;
  readonly port?: number;
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

describe('the client as a script', () => {
  let folder: string;
  let server: RealServer;
  let bob: JsonClient;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-script-'));
    server = await startServer(join(folder, 'server'));
    bob = await JsonClient.start({ port: server.port, user: 'bob', password: 'of bob', home: join(folder, 'bob'), isNew: true });
    const made = await run(['--user', 'alice', '--new', '--exec', 'GET_CLIENT_LIST']);
    assert.deepEqual([made.code, made.stdout.includes('CLIENT_LIST<alice, bob>')], [0, true], made.stderr);
  });
  after(async () => {
    await bob.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(args: readonly string[], { input = '', password = 'of alice', port = server.port, onStart }: RunOptions = {}): Promise<Result> {
    const child = spawn(process.execPath, [CLIENT, '127.0.0.1', String(port), '--home', join(folder, 'alice'), ...args], {
      env: { ...process.env, P2P_PASSWORD: password, NO_COLOR: '1' },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.end(input);
    onStart?.((signal) => void child.kill(signal));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  it('runs each line after the one before has finished', async () => {
    const path = join(folder, 'report.txt');
    await writeFile(path, 'the report');
    const arrived = bob.next('transfer-done');
    const result = await run(['--user', 'alice'], { input: `# greet, then send\nGET_CLIENT_INFO bob\n\nhello from a script\nSEND_FILE ${path}\nCLOSE_SESSION\nDISCONNECT_CLIENT\n` });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /CLIENT_INFO<bob, [^>]+:\d+>\n[^]*hello from a script\n[^]*Verified/u);
    assert.equal(await readFile(String((await arrived)['path']), 'utf8'), 'the report');
  });

  it('waits for what others do: a session, a message, a file, the end', async () => {
    const path = join(folder, 'late.txt');
    await writeFile(path, 'better late');
    const waits = ['WAIT_FOR session bob 1m', 'WAIT_FOR message bob 1m', 'WAIT_FOR file bob 1m', 'WAIT_FOR closed bob 1m', 'WAIT_FOR online bob 1m', 'GET_CLIENT_LIST'];
    const script = run(['--user', 'alice', '--accept', 'all', ...waits.flatMap((line) => ['--exec', line])]);
    await bob.command('WAIT_FOR online alice 1m');
    await bob.command('GET_CLIENT_INFO alice');
    await bob.say('here it comes', 'alice');
    const sent = bob.transferEnd();
    await bob.command(`SEND_FILE ${path}`);
    await sent;
    await bob.command('CLOSE_SESSION');
    const result = await script;
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(Array.from(result.stdout.matchAll(/^-- ((?:A session with|A message from|A whole file from|No session with|bob is) .*)\.$/gmu), ([, what]) => what), [
      'A session with bob is open',
      'A message from bob has come',
      'A whole file from bob has come',
      'No session with bob is open',
      'bob is online',
    ]);
    assert.match(result.stdout, /CLIENT_LIST<alice, bob>/u);
  });

  it('ends with 1 at the first command that fails, and says why on stderr', async () => {
    const result = await run(['--user', 'alice', '--exec', 'SEND_FILE nowhere', '--exec', 'GET_CLIENT_LIST']);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /not in a session.*\[no-session\]/u);
    assert.ok(!result.stdout.includes('CLIENT_LIST'));
  });

  it('ends with 2 on wrong usage, naming what is wrong', async () => {
    for (const [args, named] of [
      [['--accept', 'perhaps'], /--accept/u],
      [['--pin', 'abc'], /--pin/u],
      [['--nonsense'], /--nonsense/u],
      [['--listen-port', '80'], /--listen-port/u],
    ] as const) {
      const result = await run(args);
      assert.equal(result.code, 2, args.join(' '));
      assert.match(result.stderr, named);
    }
    assert.equal((await run([], { password: '' })).code, 2);
  });

  it('ends with 3 when nobody listens, 4 with a wrong password, 5 when the key is not the pinned one', async () => {
    assert.equal((await run(['--user', 'alice'], { port: 1 })).code, 3);
    const wrong = await run(['--user', 'alice'], { password: 'of somebody else' });
    assert.deepEqual([wrong.code, /Wrong name or password/u.test(wrong.stderr)], [4, true]);
    const taken = await run(['--user', 'alice', '--new']);
    assert.match(taken.stderr, /name-taken/u);
    const changed = await run(['--user', 'alice', '--pin', `SHA256:${'A'.repeat(43)}`]);
    assert.deepEqual([changed.code, /HAS CHANGED/u.test(changed.stderr)], [5, true]);
  });

  it('stays with --stay until SIGTERM, then leaves properly with 0', async () => {
    const opened = bob.next('session-opened');
    const closed = bob.next('session-closed');
    const result = await run(['--user', 'alice', '--accept', 'all', '--stay', '--exec', 'GET_CLIENT_INFO bob'], {
      onStart: (kill) => void opened.then(() => kill('SIGTERM')),
    });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await closed)['code'], 'closed-by-peer');
  });
});
