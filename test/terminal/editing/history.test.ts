/** The history file: what is in it, who can read it, what a damaged or missing one does, and several clients at once. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { History } from '../../../src/terminal/editing/history.js';

interface Place {
  readonly path: string;
  readonly warnings: string[];
  /** Another client of the same home. */
  readonly client: () => History;
}

async function place(t: TestContext): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), 'p2p-history-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const path = join(home, 'inner', 'history');
  const warnings: string[] = [];
  return { path, warnings, client: () => new History({ path, warn: (text) => void warnings.push(text) }) };
}

async function loaded(client: () => History): Promise<History> {
  const history = client();
  await history.load();
  return history;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
}

function file(lines: readonly string[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

describe('the history file', () => {
  it('gives the next program the lines of this one, line breaks and quotes included', async (t) => {
    const { client, warnings } = await place(t);
    const first = await loaded(client);
    for (const line of ['hello', 'two\nlines', 'a "quote" \\ and 👩‍👩‍👧']) first.add(line);
    await first.settled();
    assert.deepEqual((await loaded(client)).entries, ['hello', 'two\nlines', 'a "quote" \\ and 👩‍👩‍👧']);
    assert.deepEqual(warnings, []);
  });

  it('can be read by its owner only, also if it could be by others before', async (t) => {
    const { client, path } = await place(t);
    const first = await loaded(client);
    first.add('hello');
    await first.settled();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await writeFile(path, file(['hello']));
    await chmod(path, 0o644);
    await loaded(client);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('has no line twice in a row', async (t) => {
    const { client, path } = await place(t);
    const history = await loaded(client);
    for (const line of ['a', 'a', 'b', 'a']) history.add(line);
    await history.settled();
    assert.equal(await readFile(path, 'utf8'), file(['a', 'b', 'a']));
  });

  it('has no secrets, which are remembered only while the program runs', async (t) => {
    const { client, path } = await place(t);
    const history = await loaded(client);
    for (const line of ['hello', 'my password is hunter2', ' not this one']) history.add(line);
    await history.settled();
    assert.equal(await readFile(path, 'utf8'), file(['hello']));
    assert.equal(history.entries.length, 3);
  });

  it('does not keep what is very long', async (t) => {
    const { client } = await place(t);
    const history = await loaded(client);
    history.add('long '.repeat(1000));
    await history.settled();
    assert.deepEqual((await loaded(client)).entries, []);
  });

  it('that is read late stands in front of what was typed meanwhile', async (t) => {
    const { client, path } = await place(t);
    await write(path, file(['of earlier']));
    const history = client();
    const loading = history.load();
    history.add('typed meanwhile');
    await loading;
    assert.deepEqual(history.entries, ['of earlier', 'typed meanwhile']);
  });
});

describe('a history file that is damaged', () => {
  it('is told once, and every line that can be read is there', async (t) => {
    const { client, path, warnings } = await place(t);
    await write(path, `${file(['a'])}"half\n{"no":1}\n\xff\xfe\n"\\ud800"\n${file(['b'])}`);
    assert.deepEqual((await loaded(client)).entries, ['a', 'b']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^4 lines of .*history could not be read/u);
  });

  it('in its last line does not spoil the next one', async (t) => {
    const { client, path } = await place(t);
    await write(path, `${file(['a'])}"cut`);
    const history = await loaded(client);
    history.add('b');
    await history.settled();
    assert.deepEqual((await loaded(client)).entries, ['a', 'b']);
  });

  it('or is none, such as a pipe or a device without end, keeps nobody waiting', async (t) => {
    const { client, path, warnings } = await place(t);
    await mkdir(join(path, '..'));
    execFileSync('mkfifo', [path]);
    await loaded(client);
    await rm(path);
    await symlink('/dev/zero', path);
    await loaded(client);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /cannot be kept.*: it is no file\. /u);
  });

  it('or cannot be written is told once, and typing goes on', async (t) => {
    const { client, path, warnings } = await place(t);
    await mkdir(path, { recursive: true });
    const history = await loaded(client);
    history.add('a');
    history.add('b');
    await history.settled();
    assert.deepEqual(history.entries, ['a', 'b']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be kept.*as long as this program runs/u);
  });
});

describe('a history file that has become long', () => {
  it('is shortened to the last 1,000 lines', async (t) => {
    const { client, path } = await place(t);
    await write(path, file(numbered(0, 2001)));
    assert.deepEqual((await loaded(client)).entries, numbered(1001, 2001));
    assert.equal(await readFile(path, 'utf8'), file(numbered(1001, 2001)));
    assert.deepEqual(await readdir(join(path, '..')), ['history']);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('is read from its end only', async (t) => {
    const { client, path, warnings } = await place(t);
    await write(path, file([...Array.from({ length: 1100 }, (_, index) => `${index} ${'x'.repeat(4000)}`), 'last']));
    const { entries } = await loaded(client);
    assert.equal(entries.at(-1), 'last');
    assert.ok(entries.every((entry) => entry === 'last' || /^\d+ x{4000}$/u.test(entry)));
    assert.ok((await stat(path)).size <= 4 * 1024 * 1024);
    assert.deepEqual(warnings, []);
  });

  it('is left as it is while another client shortens it', async (t) => {
    const { client, path } = await place(t);
    await write(path, file(numbered(0, 2001)));
    await writeFile(`${path}.new`, '');
    assert.equal((await loaded(client)).entries.length, 1000);
    assert.equal((await readFile(path, 'utf8')).split('\n').length, 2002);
  });

  it('is shortened the time after next when a client was killed at it', async (t) => {
    const { client, path } = await place(t);
    await write(path, file(numbered(0, 2001)));
    await writeFile(`${path}.new`, 'half');
    await utimes(`${path}.new`, new Date(0), new Date(0));
    await loaded(client);
    await loaded(client);
    assert.equal(await readFile(path, 'utf8'), file(numbered(1001, 2001)));
  });
});

describe('several clients at once', () => {
  it('lose no line of each other', async (t) => {
    const { client, path } = await place(t);
    const module = new URL('../../../src/terminal/editing/history.js', import.meta.url).href;
    // The file becomes too long while they write, so one of them shortens it under the hands of the others.
    const program = `
      const [path, name] = process.argv.slice(1);
      const { History } = await import(${JSON.stringify(module)});
      const { appendFileSync } = await import('node:fs');
      for (let round = 0; round < 10; round += 1) {
        const history = new History({ path, warn: (text) => { console.error(text); process.exitCode = 1; } });
        await history.load();
        for (let n = 0; n < 5; n += 1) history.add(name + ' ' + round + ' ' + n);
        await history.settled();
      }`;
    await write(path, file(numbered(0, 1990)));
    const run = promisify(execFile);
    await Promise.all(['anna', 'bert', 'carl'].map((name) => run(process.execPath, ['--input-type=module', '-e', program, path, name], { cwd: fileURLToPath(new URL('.', import.meta.url)) })));
    const { entries } = await loaded(client);
    for (const name of ['anna', 'bert', 'carl']) {
      const own = [...new Set(entries.filter((entry) => entry.startsWith(`${name} `)))];
      assert.deepEqual(own.sort(), Array.from({ length: 50 }, (_, index) => `${name} ${Math.floor(index / 5)} ${index % 5}`));
    }
  });

  it('carry over what was appended to a file that is being replaced', async (t) => {
    const { client, path } = await place(t);
    await write(path, file(numbered(0, 2001)));
    const [first, second] = [client(), client()];
    const loading = first.load();
    for (let n = 0; n < 20; n += 1) second.add(`meanwhile ${n}`);
    await Promise.all([loading, second.settled()]);
    await appendFile(path, file(['afterwards']));
    const { entries } = await loaded(client);
    const kept = new Set(entries);
    assert.deepEqual(Array.from({ length: 20 }, (_, n) => `meanwhile ${n}`).filter((line) => !kept.has(line)), []);
    assert.equal(entries.at(-1), 'afterwards');
  });
});
