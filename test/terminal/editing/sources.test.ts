/** What completion learns from the engine: who is online, at most one question every few seconds, and who asks for a session. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PersonPresence } from '../../../src/client/api.js';
import { P2pError } from '../../../src/protocol/errors.js';
import type { CompletionSources } from '../../../src/terminal/editing/completion.js';
import type { CompletedFrom, SourcesOptions } from '../../../src/terminal/editing/sources.js';
import { completionSources, Editing } from '../../../src/terminal/editing/sources.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { FINGERPRINT } from '../fake-client.js';

interface Scene {
  readonly sources: CompletionSources;
  readonly clock: ManualClock;
  /** What the server was asked, an empty prefix for everybody. */
  readonly asked: string[];
}

function scene({ online = ['alice', 'bob', 'Bobby', 'carol'], total, sessions = [] as string[], people = [] as PersonPresence[], fails = false, ...more }: { readonly online?: string[]; readonly total?: number; readonly sessions?: string[]; readonly people?: PersonPresence[]; readonly fails?: boolean } & Partial<SourcesOptions> = {}): Scene {
  const clock = new ManualClock();
  const asked: string[] = [];
  const api: CompletedFrom = {
    listClients: async (prefix = '') => {
      asked.push(prefix);
      await Promise.resolve();
      if (fails) throw new P2pError('unavailable', 'The server cannot be reached.');
      const clients = online.filter((one) => one.toLowerCase().startsWith(prefix));
      return { clients, total: total ?? clients.length };
    },
    sessions,
    people,
    blocked: [],
    transfers: [],
    user: 'alice',
  };
  const readFolder = () => Promise.resolve({ entries: [], cut: false });
  return { sources: completionSources({ api, clock, homeDirectory: '/', workingDirectory: '/', readFolder, requests: () => [], ...more }), clock, asked };
}

describe('names', () => {
  it('begin with those talked to, each once, without the own one', async () => {
    const { sources } = scene({ sessions: ['carol'], people: [{ user: 'bobby', state: 'away' }, { user: 'dora', state: 'offline' }] });
    assert.deepEqual(await sources.users(''), ['carol', 'bobby', 'bob']);
    assert.deepEqual(sources.offline(), ['dora']);
  });

  it('are asked for once in some seconds', async () => {
    const { sources, clock, asked } = scene();
    for (const prefix of ['b', 'B', 'bo', 'bob']) await sources.users(prefix);
    assert.deepEqual(asked, ['b']);
    clock.advance(5_000);
    await sources.users('b');
    assert.deepEqual(asked, ['b', 'b']);
  });

  it('that are known are there at once, for keys that come faster than an answer', async () => {
    const { sources } = scene();
    assert.ok(sources.users('b') instanceof Promise);
    await sources.users('b');
    assert.deepEqual(sources.users('bo'), ['bob', 'Bobby']);
  });

  it('are asked for again where the list was not whole', async () => {
    const { sources, asked } = scene({ total: 100_000 });
    for (const prefix of ['b', 'bo', 'bo']) await sources.users(prefix);
    assert.deepEqual(asked, ['b', 'bo']);
  });

  it('are not asked for where nobody can be called so', async () => {
    const { sources, asked } = scene({ sessions: ['carol'] });
    assert.deepEqual(await sources.users('b c'), ['carol']);
    assert.deepEqual(asked, []);
  });

  it('are those known anyway while the server cannot be asked', async () => {
    const { sources } = scene({ sessions: ['carol'], fails: true });
    assert.deepEqual(await sources.users('c'), ['carol']);
  });
});

it('one folder is read at a time', async () => {
  let finish = () => {};
  const { sources } = scene({ readFolder: () => new Promise((resolve) => (finish = () => resolve({ entries: [{ name: 'a', folder: false }], cut: false }))) });
  const first = sources.readFolder('/slow', () => true);
  assert.deepEqual(await sources.readFolder('/other', () => true), { entries: [], cut: true });
  finish();
  assert.equal((await first).entries.length, 1);
  const again = sources.readFolder('/other', () => true);
  finish();
  assert.equal((await again).entries.length, 1);
});

describe('editing', () => {
  it('keeps what is typed in the home folder', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'p2p-editing-'));
    t.after(() => rm(home, { recursive: true, force: true }));
    const editing = new Editing({ clock: new ManualClock(), home, homeDirectory: home });
    const api: CompletedFrom = { listClients: () => Promise.resolve({ clients: [], total: 0 }), sessions: [], people: [], blocked: [], transfers: [], user: 'alice' };
    const editor = (await editing.start(api, (text) => assert.fail(text)))({ later: () => undefined, utf8: true });
    editor.paste('hello');
    editor.key('\r', { name: 'return', sequence: '\r' });
    await editing.close();
    assert.equal(await readFile(join(home, 'history'), 'utf8'), '"hello"\n');
  });

  it('has what was typed earlier from the first key on', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'p2p-editing-'));
    t.after(() => rm(home, { recursive: true, force: true }));
    await writeFile(join(home, 'history'), '"of earlier"\n', { mode: 0o600 });
    const api: CompletedFrom = { listClients: () => Promise.resolve({ clients: [], total: 0 }), sessions: [], people: [], blocked: [], transfers: [], user: 'alice' };
    const editing = new Editing({ clock: new ManualClock(), home, homeDirectory: home });
    const editor = (await editing.start(api, (text) => assert.fail(text)))({ later: () => undefined, utf8: true });
    editor.key(undefined, { name: 'up', sequence: '\x1b[A' });
    assert.equal(editor.view().text, 'of earlier');
  });

  it('offers who asks for a session until it is open', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'p2p-editing-'));
    t.after(() => rm(home, { recursive: true, force: true }));
    const editing = new Editing({ clock: new ManualClock(), home, homeDirectory: home });
    const api: CompletedFrom = { listClients: () => Promise.resolve({ clients: [], total: 0 }), sessions: [], people: [], blocked: [], transfers: [], user: 'alice' };
    const editor = (await editing.start(api, (text) => assert.fail(text)))({ later: () => undefined, utf8: true });
    const tab = () => {
      editor.key(undefined, { name: 'u', ctrl: true, sequence: '\x15' });
      editor.paste('ACCEPT_SESSION ');
      editor.key('\t', { name: 'tab', sequence: '\t' });
      return editor.view().text;
    };
    editing.see({ event: 'session-request', peer: 'eve', fingerprint: FINGERPRINT });
    assert.equal(tab(), 'ACCEPT_SESSION eve');
    editing.see({ event: 'session-opened', peer: 'eve', direction: 'incoming', path: 'direct', address: '192.0.2.7:4000', fingerprint: FINGERPRINT, firstContact: false, verified: false, current: true });
    assert.equal(tab(), 'ACCEPT_SESSION ');
    await editing.close();
  });
});
