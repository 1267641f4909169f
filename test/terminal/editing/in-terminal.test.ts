/** Editing, completion and history as a person sees them, through a real terminal. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { FaceOptions } from '../face-in-terminal.js';
import { FaceInTerminal } from '../face-in-terminal.js';
import { chord, KEYS } from './keyboard.js';

async function start(t: TestContext, options: FaceOptions = {}): Promise<FaceInTerminal> {
  const face = await FaceInTerminal.startLoggedIn(options);
  t.after(() => face.close());
  return face;
}

async function inSession(t: TestContext, options: FaceOptions = {}): Promise<FaceInTerminal> {
  const face = await start(t, options);
  face.steer({ open: 'bob' });
  await face.terminal.waitForText(/alice → bob>$/u);
  return face;
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'p2p-editing-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('in a terminal', () => {
  it('a paste of 200 lines is one message, also when its first line is a command', async (t) => {
    const face = await inSession(t);
    const lines = Array.from({ length: 200 }, (_, index) => (index === 0 ? 'CLOSE_SESSION' : `line ${index}`));
    face.terminal.type(`\x1b[200~${lines.join('\r')}\r\x1b[201~`);
    await face.terminal.waitUntil(() => face.terminal.typed().endsWith('line 198⏎line 199'), 'the end of what was pasted');
    face.terminal.type(KEYS.enter);
    await face.called(JSON.stringify(['say', lines.join('\n')]));
  });

  it('a paste that is too long stays on the line, with what to do', async (t) => {
    const face = await inSession(t);
    face.terminal.type(`\x1b[200~${'x'.repeat(17_000)}\x1b[201~`);
    await face.terminal.waitUntil(() => face.terminal.typed().endsWith('xxx'), 'what was pasted');
    face.terminal.type(KEYS.enter);
    await face.terminal.waitForText(/^!! That is too long \(17\.0 kB\)/mu);
    assert.match(face.terminal.typed(), /x$/u);
  });

  it('Tab completes a command, then a name; the hint says what comes', async (t) => {
    const face = await start(t);
    face.terminal.type(`get_client_i${KEYS.tab}`);
    await face.terminal.waitForText(/^server> get_client_info <user>$/mu);
    face.terminal.type(KEYS.tab);
    await face.terminal.waitForText(/^server> get_client_info bob$/mu);
    face.terminal.type(KEYS.enter);
    await face.called('["openSession","bob"]');
  });

  it('Tab completes a path with spaces, quotes and signs, and what is sent is that file', async (t) => {
    const cwd = await folder(t);
    const name = 'it\'s "new" (1) – <b>.txt';
    await mkdir(join(cwd, 'my files'));
    await writeFile(join(cwd, 'my files', name), '');
    const face = await inSession(t, { cwd });
    face.terminal.type(`/send m${KEYS.tab}`);
    await face.terminal.waitUntil(() => face.terminal.typed().endsWith('/send my files/'), 'the folder');
    face.terminal.type(KEYS.tab);
    await face.terminal.waitUntil(() => face.terminal.typed().endsWith('.txt'), 'the file');
    face.terminal.type(KEYS.enter);
    await face.called(JSON.stringify(['sendFile', `my files/${name}`]));
  });

  it('Enter that comes together with Tab sends the file that Tab completes', async (t) => {
    const cwd = await folder(t);
    await mkdir(join(cwd, 'in'));
    await writeFile(join(cwd, 'in', 'only one.txt'), '');
    const face = await inSession(t, { cwd });
    face.terminal.type(`/send i${KEYS.tab}on${KEYS.tab}${KEYS.enter}and then${KEYS.enter}`);
    await face.called(JSON.stringify(['sendFile', 'in/only one.txt']));
    await face.called(JSON.stringify(['say', 'and then']));
  });

  it('Tab twice lists what there is in columns above the line', async (t) => {
    const cwd = await folder(t);
    for (const name of ['report1', 'report2']) await writeFile(join(cwd, name), '');
    const face = await inSession(t, { cwd });
    face.terminal.type(`/send r${KEYS.tab}`);
    await face.terminal.waitUntil(() => face.terminal.typed().endsWith('/send report'), 'what both have in common');
    face.terminal.type(KEYS.tab + KEYS.tab);
    await face.terminal.waitForText(/^report1 {2}report2\nalice → bob> \/send report$/mu);
  });

  it('an earlier line is found again by a search, in this run and in the next', async (t) => {
    const home = await folder(t);
    const first = await inSession(t, { env: { P2P_HOME: home } });
    first.terminal.enter('how are you?');
    await first.called('["say","how are you?"]');
    first.terminal.enter('my password is hunter2');
    await first.called('["say","my password is hunter2"]');
    first.terminal.type(`${chord('C-r')}are`);
    await first.terminal.waitForText(/^\(search\) "are": how are you\?$/mu);
    first.terminal.type(chord('C-g') + chord('C-d'));
    await first.terminal.exited;
    assert.equal(await readFile(join(home, 'history'), 'utf8'), '"how are you?"\n');
    const second = await inSession(t, { env: { P2P_HOME: home } });
    second.terminal.type(KEYS.up);
    await second.terminal.waitForText(/^alice → bob> how are you\?$/mu);
  });

  it('a history that cannot be kept is told once, and typing goes on', async (t) => {
    const home = await folder(t);
    await mkdir(join(home, 'history'));
    const face = await inSession(t, { env: { P2P_HOME: home } });
    await face.terminal.waitForText(/^-- Your history cannot be kept in/mu);
    face.terminal.enter('hello');
    await face.called('["say","hello"]');
    face.terminal.type(KEYS.up);
    const screen = await face.terminal.waitForText(/^alice → bob> hello$/mu);
    assert.equal(screen.filter((row) => row.includes('cannot be kept')).length, 1);
  });
});
