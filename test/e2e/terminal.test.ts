/** Two people at two terminals, with the real programs: what they type and what they see (issue: the whole main job). */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { CLIENT, JsonClient, startServer, type RealServer } from '../helpers/json-client.js';
import { ProgramTerminal } from '../helpers/terminal.js';

describe('two people at two terminals', () => {
  let folder: string;
  let server: RealServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-pty-'));
    server = await startServer(join(folder, 'server'));
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  function sitDown(t: TestContext, home: string, ...args: string[]): ProgramTerminal {
    const terminal = new ProgramTerminal(process.execPath, [CLIENT, '127.0.0.1', String(server.port), '--home', join(folder, home), ...args], { env: { P2P_PASSWORD: undefined, P2P_HOME: undefined }, columns: 100, rows: 40 });
    t.after(() => terminal.close());
    return terminal;
  }

  async function register(t: TestContext, user: string): Promise<ProgramTerminal> {
    const terminal = sitDown(t, user);
    await terminal.waitForText(/First contact with this server[^]*SHA256:/u);
    await terminal.waitForText(/new or a returning user\?.*$/mu);
    terminal.enter('new');
    await terminal.waitForText(/^Name: $|^Name:$/mu);
    terminal.enter(user);
    await terminal.waitForText(/New password:/u);
    terminal.enter(`secret of ${user}`);
    await terminal.waitForText(/once more:/u);
    terminal.enter(`secret of ${user}`);
    await terminal.waitForText(/^server>/mu);
    return terminal;
  }

  it('do everything that the program is for', async (t) => {
    const [alice, bob] = [await register(t, 'alice'), await register(t, 'bob')];
    for (const { raw } of [alice, bob]) assert.ok(!raw.includes('secret of'), 'a password was shown');

    alice.enter('GET_CLIENT_LIST');
    await alice.waitForText(/^CLIENT_LIST<alice, bob>$/mu);
    alice.enter('get_client_info<bob>');
    await alice.waitForText(/^CLIENT_INFO<bob, \S+:\d+>$/mu);
    await alice.waitForText(/^alice → bob>/mu);
    await bob.waitForText(/^-- alice opened a session with you/mu);
    await bob.waitForText(/^bob → alice>/mu);

    // A line that comes in while bob types stands above his, and his is as he left it.
    bob.type('I am still wri');
    await bob.waitUntil(() => bob.typed().endsWith('I am still wri'), 'the typed text');
    alice.enter('Are you there?');
    await bob.waitForText(/^alice> Are you there\?$/mu);
    // The line and the prompt below it are written one after the other.
    await bob.waitUntil(() => bob.typed() === 'bob → alice> I am still wri', 'his own text, as he left it');
    bob.enter('ting');
    await alice.waitForText(/^bob> I am still writing$/mu);

    // Text that would drive a terminal is shown, not obeyed.
    alice.type('\x1b[200~look: \x1b[2J\x1b]0;x\x07\x1b[201~');
    await alice.waitForText(/look: \\x1b\[2J\\x1b\]0;x\\x07$/mu);
    alice.enter('');
    await bob.waitForText(/^alice> look: \\x1b\[2J\\x1b\]0;x\\x07$/mu);

    const path = join(folder, 'holiday photo.jpg');
    await writeFile(path, Buffer.alloc(3_000_000, 'photo'));
    alice.enter(`SEND_FILE ${path}`);
    await bob.waitForText(/offers "holiday photo\.jpg"/u);
    bob.enter('ACCEPT_FILE');
    await alice.waitForText(/^-- Sent "holiday photo\.jpg" to bob.*Verified/mu);
    await bob.waitForText(/^-- Received "holiday photo\.jpg" from alice/mu);
    assert.deepEqual(await readFile(join(folder, 'bob', 'received', 'holiday photo.jpg')), await readFile(path));

    alice.enter(`SEND_FILE ${path}`);
    await bob.waitUntil((screen) => screen.filter((row) => row.includes('offers "holiday photo.jpg"')).length === 2, 'a second offer');
    bob.enter('reject_file');
    await alice.waitForText(/^!! "holiday photo\.jpg" to bob was not transferred/mu);

    bob.enter('#HELP');
    await bob.waitForText(/HOW TO USE P2P-CHAT/u);
    bob.enter('DISCONNECT_CLIENT');
    await bob.waitForText(/^!! .*CLOSE_SESSION/mu);
    bob.enter('CLOSE_SESSION');
    await alice.waitForText(/^-- bob closed the session/mu);
    await alice.waitForText(/^server>/mu);
    alice.enter('anybody?');
    await alice.waitForText(/^!! You are not in a session/mu);
    alice.enter('/quit');
    bob.enter('disconnect_client');
    assert.deepEqual([(await alice.exited).exitCode, (await bob.exited).exitCode], [0, 0]);
  });

  it('answer offers with one key, whatever is on the line', async (t) => {
    const [fred, gina] = [await register(t, 'fred'), await register(t, 'gina')];
    fred.enter('GET_CLIENT_INFO gina');
    await gina.waitForText(/^gina → fred>/mu);
    await fred.waitForText(/^fred → gina>/mu);
    const path = join(folder, 'songs');
    await mkdir(join(path, 'live'), { recursive: true });
    for (const name of ['one.txt', 'live/two words.txt']) await writeFile(join(path, name), name);
    gina.type('half a sen');
    fred.enter(`SEND_FILE ${path}`);
    await gina.waitForText(/offers the folder "songs" \(2 files, 25 bytes\), number 1\. Ctrl-Y accepts, Ctrl-N/u);
    gina.type('\x19');
    await gina.waitForText(/^-- Received the folder "songs" from fred: 2 files/mu);
    await fred.waitForText(/^-- Sent the folder "songs" to gina: 2 files.*Verified/mu);
    assert.equal(await readFile(join(folder, 'gina', 'received', 'songs', 'live', 'two words.txt'), 'utf8'), 'live/two words.txt');
    await gina.waitUntil(() => gina.typed() === 'gina → fred> half a sen', 'her own text, as she left it');

    const song = join(folder, 'song.txt');
    await writeFile(song, 'la la');
    fred.enter(`SEND_FILE ${song}`);
    await gina.waitForText(/offers "song\.txt" \(5 bytes\), number 2/u);
    gina.type('\x0e');
    await fred.waitForText(/^!! "song\.txt" to gina was not transferred/mu);
    gina.enter('tence');
    await fred.waitForText(/^gina> half a sentence$/mu);
    fred.enter('/files');
    await fred.waitForText(/^-- No offers and no transfers\.$/mu);
  });

  it('see hostile names and texts as text (HOSTILE 20, 23)', async (t) => {
    const carol = await register(t, 'carol');
    const mallory = await JsonClient.start({ port: server.port, user: 'mallory', password: 'x', home: join(folder, 'mallory'), isNew: true });
    t.after(() => mallory.close());
    await mallory.command('GET_CLIENT_INFO carol');
    await carol.waitForText(/mallory opened a session/u);
    const before = carol.raw.length;
    await mallory.say('\x1b]0;owned\x07\x1b[2J\x1bc\x9b31m\r-- carol: forged\n-- The session is closed.\u202e', 'carol');
    const path = join(folder, 'evil\x1b]52;c;aGk=\x07.txt');
    await writeFile(path, 'x');
    await mallory.command(`SEND_FILE ${path}`);
    await carol.waitForText(/offers "evil/u);
    const shown = carol.raw.slice(before);
    for (const forbidden of ['\x1b]', '\x1b[2J', '\x1bc', '\x9b', '\x07', '\u202e']) assert.ok(!shown.includes(forbidden), JSON.stringify(forbidden));
    const screen = carol.screen();
    assert.ok(screen.some((row) => row.startsWith('mallory> ') && row.includes('forged')), screen.join('\n'));
    assert.ok(screen.some((row) => row.startsWith('mallory> -- The session is closed.')), screen.join('\n'));
  });

  it('may mistype the password twice', async (t) => {
    const dora = await register(t, 'dora');
    dora.type('\x04');
    assert.equal((await dora.exited).exitCode, 0);
    const again = sitDown(t, 'dora', '--user', 'dora');
    for (const [tries, password] of ['wrong', 'wrong again', 'secret of dora'].entries()) {
      await again.waitUntil((screen) => screen.filter((row) => /Password:/u.test(row)).length === tries + 1, `password question ${tries + 1}`);
      again.enter(password);
      if (tries < 2) {
        await again.waitUntil((screen) => screen.filter((row) => row.includes('Wrong name or password')).length === tries + 1, 'a refusal');
        if (/Name/u.test(again.typed())) again.enter('');
      }
    }
    await again.waitForText(/^server>/mu);
  });

  it('is sent away after three wrong passwords', async (t) => {
    const eve = sitDown(t, 'eve', '--user', 'dora');
    for (let tries = 0; tries < 3; tries += 1) {
      await eve.waitUntil((screen) => screen.filter((row) => /Password:/u.test(row)).length === tries + 1, `password question ${tries + 1}`);
      eve.enter('guess');
      if (tries < 2) {
        await eve.waitUntil((screen) => screen.filter((row) => row.includes('Wrong name or password')).length === tries + 1, 'a refusal');
        if (/Name/u.test(eve.typed())) eve.enter('');
      }
    }
    assert.equal((await eve.exited).exitCode, 4);
  });
});
