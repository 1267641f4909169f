/**
 * The examples of README.md as they stand there, run against a real server: scripts by a shell, the bot by a package that has installed
 * p2p-chat and knows it by name.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { CLIENT, JsonClient, startServer, type RealServer } from '../helpers/json-client.js';
import { outputFault, SCHEMA_FILE } from '../helpers/json-schema.js';
import { Program } from '../helpers/processes.js';
import { readmeExample } from '../helpers/readme.js';
import { projectRoot } from '../protocol/specification.js';

const run = promisify(execFile);

/** Why what `npm run build` makes beside the code cannot be tested, where the code was compiled in another way. */
const BUILT = existsSync(SCHEMA_FILE) ? false : 'compiled without npm run build';

/** Preloaded: writes to stderr which modules are loaded. */
const HOOK = "import { writeSync } from 'node:fs'; export async function load(url, context, next) { writeSync(2, `${url}\\n`); return await next(url, context); }";
const TELL_LOADED = `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(HOOK).replaceAll("'", '%27')}');`)}`;

/** A program in TypeScript that holds what README.md says of types. */
const TYPES = `import { connect, P2pError, visibleLine, type Client, type ClientEvent, type ConnectOptions, type ErrorCode, type EventsDropped, type StreamedEvent, type TransferOutcome } from 'p2p-chat';

const options: ConnectOptions = { host: 'localhost', user: 'a', password: 'b', acceptFrom: ['bob'], accept: 'all', signal: AbortSignal.timeout(1000) };
export const client: Client = await connect(options);
export const clients: readonly string[] = (await client.listClients()).clients;
export const outcome: TransferOutcome = await (await client.sendFile('a')).finished;
for await (const event of client) {
  const one: StreamedEvent = event;
  if (one.event === 'message') console.log(one.peer, visibleLine(one.text) satisfies string);
  if (one.event === 'events-dropped') console.log((one satisfies EventsDropped).count);
  else console.log((one satisfies ClientEvent).event);
}
try {
  await client.say('a', 'b');
} catch (error) {
  if (error instanceof P2pError) console.log(error.code satisfies ErrorCode);
}
// @ts-expect-error There is no such event.
export const none = (event: StreamedEvent) => event.event === 'unheard-of';
// @ts-expect-error The client is logged in already.
client.login;
`;
const PASSWORD = 'correct horse battery';

describe('the examples in README.md', () => {
  let folder: string;
  let server: RealServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-readme-'));
    server = await startServer(join(folder, 'server'));
    await mkdir(join(folder, 'bin'));
    await symlink(CLIENT, join(folder, 'bin', 'p2p-client'));
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function person(t: TestContext, user: string, isNew = true): Promise<JsonClient> {
    const client = await JsonClient.start({ port: server.port, user, password: PASSWORD, home: join(folder, user), isNew, faultOf: outputFault });
    t.after(() => client.close());
    return client;
  }

  /** An account, and a home directory with its password, as the examples have them. */
  async function account(t: TestContext, user: string): Promise<string> {
    const home = join(folder, `home of ${user}`);
    await mkdir(home);
    await writeFile(join(home, '.p2p-password'), `${PASSWORD}\n`, { mode: 0o600 });
    await (await person(t, user)).close();
    return home;
  }

  const here = (code: string) => code.replaceAll('chat.example.org 9090', `127.0.0.1 ${server.port}`);
  const environment = (home: string) => ({ ...process.env, HOME: home, PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, P2P_PASSWORD: '', P2P_HOME: '' });

  it('backup.sh waits until bob is there, and sends', async (t) => {
    const home = await account(t, 'alice');
    await mkdir(join(home, 'backups'));
    await writeFile(join(home, 'backups', 'today.tar'), 'all that matters');
    const script = new Program('/bin/sh', ['-c', here(readmeExample('sh', '# backup.sh'))], { env: environment(home) });
    t.after(() => script.stop());
    // It runs and waits: alice is seen to be online before bob is.
    const carol = await person(t, 'carol');
    await carol.command('WAIT_FOR online alice 60s');
    const bob = await person(t, 'bob');
    const received = await bob.transferEnd();
    assert.deepEqual([received['peer'], received['name']], ['alice', 'backups']);
    assert.equal(await script.exitCode(), 0, script.said);
    assert.match(script.said, /-- bob is online\./u);
    assert.equal(await readFile(join(folder, 'bob', 'received', 'backups', 'today.tar'), 'utf8'), 'all that matters');
  });

  it('inbox.sh takes what comes from those it names until it is told to stop', async (t) => {
    const home = await account(t, 'inbox');
    const inbox = new Program('/bin/sh', ['-c', here(readmeExample('sh', '# inbox.sh'))], { env: environment(home) });
    t.after(() => inbox.stop());
    const [bob, eve] = [await person(t, 'bob', false), await person(t, 'eve')];
    await writeFile(join(folder, 'letter.txt'), 'dear inbox');
    for (const sender of [eve, bob]) {
      await sender.command('WAIT_FOR online inbox 60s');
      await sender.command('GET_CLIENT_INFO inbox');
      const end = sender.nextOf(['transfer-done', 'transfer-failed'], () => true);
      await sender.command(`SEND_FILE ${join(folder, 'letter.txt')}`);
      assert.equal((await end).event, sender === bob ? 'transfer-done' : 'transfer-failed');
    }
    assert.deepEqual(await readdir(join(home, 'p2p-chat', 'received')), ['letter.txt']);
    process.kill(inbox.pid, 'SIGTERM');
    assert.equal(await inbox.exitCode(), 0, inbox.said);
  });

  it('WAIT_FOR ends a script with 1 when the time has passed, and says what did not come', async (t) => {
    const home = await account(t, 'hasty');
    const started = run(CLIENT, ['127.0.0.1', String(server.port), '--user', 'hasty', '--password-file', join(home, '.p2p-password'), '--exec', 'WAIT_FOR message bob 100ms'], { env: environment(home) });
    await assert.rejects(started, (error: { code?: unknown; stderr?: unknown }) => error.code === 1 && /no message came from bob within 0\.1 s.*\[timed-out\]/u.test(String(error.stderr)));
  });

  describe('bot.js', () => {
    let consumer: string;
    before(async () => {
      consumer = join(folder, 'consumer');
      await installPackage(consumer, folder);
      const bot = readmeExample('js', '// bot.js').replace('chat.example.org', '127.0.0.1').replace('9090', String(server.port));
      await writeFile(join(consumer, 'bot.js'), bot);
    });

    it('is right by the types that the package ships', { skip: BUILT }, async () => {
      const options = { module: 'nodenext', target: 'es2023', strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, allowJs: true, checkJs: true, noEmit: true, types: ['node'], lib: ['es2023'] };
      await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['bot.js', 'types.ts'] }));
      await writeFile(join(consumer, 'types.ts'), TYPES);
      const { stdout } = await run(process.execPath, [join(projectRoot(), 'node_modules', 'typescript', 'bin', 'tsc'), '-p', consumer]).catch((error: unknown) => error as { stdout: string });
      assert.equal(stdout, '');
    });

    it('greets, answers and thanks, until it is told to stop', async (t) => {
      const home = await account(t, 'bot');
      const bot = new Program(process.execPath, ['bot.js'], { cwd: consumer, env: { ...environment(home), P2P_PASSWORD: PASSWORD } });
      t.after(() => bot.stop());
      const dave = await person(t, 'dave');
      await dave.command('WAIT_FOR online bot 60s');
      const heard = () => dave.next('message', (event) => event['direction'] === 'in');
      const greeting = heard();
      await dave.command('GET_CLIENT_INFO bot');
      assert.match(String((await greeting)['text']), /^Hello dave/u);
      for (const [said, answer] of [['who', /^Online: bot, dave\.$/u], ['what?', /^I only know/u]] as const) {
        const answered = heard();
        await dave.say(said, 'bot');
        assert.match(String((await answered)['text']), answer);
      }
      await writeFile(join(folder, 'gift.txt'), '12345');
      const thanked = heard();
      await dave.command(`SEND_FILE ${join(folder, 'gift.txt')}`);
      assert.equal((await thanked)['text'], 'Thank you for 5 bytes of gift.txt.');
      process.kill(bot.pid, 'SIGTERM');
      assert.equal(await bot.exitCode(), 0, bot.said);
      assert.equal(bot.said, '');
    });

    it('loads nothing of a terminal', async () => {
      const { stderr } = await run(process.execPath, ['--import', TELL_LOADED, '--input-type=module', '--eval', "await import('p2p-chat')"], { cwd: consumer });
      const loaded = stderr.split('\n');
      assert.ok(loaded.some((url) => url.endsWith('/p2p-chat/dist/src/client/engine.js')));
      assert.deepEqual(loaded.filter((url) => /\/src\/(?:terminal|bin|server)\/|chalk|commander|readline/u.test(url)), []);
    });

    it('can import the JSON Schema', { skip: BUILT }, async () => {
      const script = "import { createRequire } from 'node:module'; console.log(createRequire(import.meta.url)('p2p-chat/json-schema').title)";
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: consumer });
      assert.equal(stdout, 'p2p-client --json\n');
    });
  });
});

/** Puts what `npm pack` makes of this project into the `node_modules` of `consumer`, with what it depends on. */
async function installPackage(consumer: string, folder: string): Promise<void> {
  const root = projectRoot();
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  assert.ok(packed !== undefined);
  const modules = join(consumer, 'node_modules');
  const target = join(modules, 'p2p-chat');
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(folder, packed), '-C', target, '--strip-components=1']);
  const { dependencies } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> };
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ type: 'module' }));
}
