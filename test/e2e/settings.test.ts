/** Where the real client takes its options from: configuration file, environment, the last server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CLIENT, JsonClient, startServer, type RealServer } from '../helpers/json-client.js';
import { ProgramTerminal } from '../helpers/terminal.js';

describe('the settings of the client', () => {
  let folder: string;
  let server: RealServer;
  const home = () => join(folder, 'home');
  const env = (more: Record<string, string> = {}) => ({ ...process.env, P2P_PASSWORD: 'of alice', P2P_HOME: home(), NO_COLOR: '1', ...more });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-settings-'));
    server = await startServer(join(folder, 'server'));
    await mkdir(home());
    const made = await run(['127.0.0.1', String(server.port), '--user', 'alice', '--new', '--exec', 'GET_CLIENT_LIST']);
    assert.equal(made.code, 0, made.stderr);
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(args: readonly string[], more: Record<string, string> = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [CLIENT, ...args], { env: env(more), stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  it('are those of the last server where nothing else is said, and say so', async () => {
    const { code, stdout, stderr } = await run(['--exec', 'GET_CLIENT_LIST']);
    assert.deepEqual([code, stdout.includes('CLIENT_LIST<alice>')], [0, true], stderr);
    assert.match(stderr, new RegExp(`Taking the last server, 127\\.0\\.0\\.1 ${server.port}, as alice\\.`, 'u'));
  });

  it('remember the last server for nobody else to read', async () => {
    assert.equal((await stat(join(home(), 'last-server.json'))).mode & 0o777, 0o600);
  });

  it('ask the last person for the password only', async () => {
    const terminal = new ProgramTerminal(process.execPath, [CLIENT], { env: env({ P2P_PASSWORD: '' }) });
    try {
      const screen = await terminal.waitForText(/Password:/u);
      assert.doesNotMatch(screen.join('\n'), /new or a returning/u);
    } finally {
      await terminal.close();
    }
  });

  it('come from the file, which is refused as a whole where a key is unknown', async () => {
    const file = join(home(), 'config.json');
    try {
      await writeFile(file, `{ "host": "127.0.0.1", "port": ${server.port}, "user": "alice", "exec": ["GET_CLIENT_LIST"] } // as in the README`, { mode: 0o600 });
      const { code, stdout, stderr } = await run([]);
      assert.deepEqual([code, stdout.includes('CLIENT_LIST<alice>')], [0, true], stderr);
      await writeFile(file, '{ "hots": "127.0.0.1" }');
      const refused = await run([]);
      assert.deepEqual([refused.code, /there is no option "hots"; perhaps "host" is meant/u.test(refused.stderr)], [2, true], refused.stderr);
    } finally {
      await rm(file);
    }
  });

  it('keep a log of what was said, where that is wished for', async () => {
    const bob = await JsonClient.start({ port: server.port, user: 'bob', password: 'of bob', home: join(folder, 'bob'), isNew: true });
    try {
      const { code, stderr } = await run(['--log-chat', join(folder, 'logs'), '--exec', 'GET_CLIENT_INFO bob', '--exec', 'hello bob', '--exec', 'CLOSE_SESSION']);
      assert.equal(code, 0, stderr);
      assert.match(await readFile(join(folder, 'logs', 'bob.log'), 'utf8'), /^\S+ -- session opened \(outgoing, direct, [^\n]*\n\S+ <alice> hello bob\n\S+ -- session closed: [^\n]*\n$/u);
    } finally {
      await bob.close();
    }
  });

  it('name the variable that will not do', async () => {
    const { code, stderr } = await run(['--exec', 'GET_CLIENT_LIST'], { P2P_LISTEN_PORT: '80' });
    assert.deepEqual([code, /^p2p-client: P2P_LISTEN_PORT takes 0 for a free port/u.test(stderr)], [2, true], stderr);
  });
});
