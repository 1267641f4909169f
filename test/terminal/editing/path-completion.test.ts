/** Paths of SEND_FILE: what Tab inserts is read back as the path that was meant, whatever it is called. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../../src/terminal/commands.js';
import type { CompletionSources } from '../../../src/terminal/editing/completion.js';
import { complete } from '../../../src/terminal/editing/completion.js';
import type { Completion } from '../../../src/terminal/editing/editing-types.js';
import type { FolderEntry, ReadFolder } from '../../../src/terminal/editing/path-completion.js';
import { readFolder } from '../../../src/terminal/editing/path-completion.js';
import { expandHome } from '../../../src/terminal/perform.js';

const HOME = '/home/me';
const WORK = '/work';

function sources(read: ReadFolder, workingDirectory = WORK, homeDirectory = HOME): CompletionSources {
  const none = () => [];
  return { users: none, offline: none, sessions: none, requests: none, blocked: none, transfers: none, homeDirectory, workingDirectory, readFolder: read };
}

/** One folder; others are empty. Names with a `/` at the end are folders. */
function folder(path: string, ...names: readonly string[]): CompletionSources {
  const entries: FolderEntry[] = names.map((name) => (name.endsWith('/') ? { name: name.slice(0, -1), folder: true } : { name, folder: false }));
  return sources((asked, wanted) => Promise.resolve({ entries: normalize(`${asked}/`) === normalize(`${path}/`) ? entries.filter(({ name }) => wanted(name)) : [], cut: false }));
}

async function completion(line: string, from: CompletionSources): Promise<Completion> {
  const at = line.includes('|') ? line.indexOf('|') : line.length;
  return await complete(line.replace('|', ''), at, from);
}

async function tab(line: string, from: CompletionSources): Promise<string> {
  const text = line.replace('|', '');
  const { from: start, to, insert, after = '', candidates } = await completion(line, from);
  return candidates.length === 0 ? `${line}!` : `${text.slice(0, start)}${insert}|${after}${text.slice(to)}`;
}

describe('a path', () => {
  const rows: [typed: string, names: string[], after: string, where?: string][] = [
    ['SEND_FILE rep', ['report.pdf', 'other'], 'SEND_FILE report.pdf|'],
    ['/send rep', ['report.pdf'], '/send report.pdf|'],
    ['SEND_FILE r', ['report 1.pdf', 'report 2.pdf'], 'SEND_FILE report |'],
    ['SEND_FILE report 1', ['report 1.pdf', 'report 2.pdf'], 'SEND_FILE report 1.pdf|'],
    [String.raw`SEND_FILE report\ 1`, ['report 1.pdf'], 'SEND_FILE report 1.pdf|'],
    ['SEND_FILE pic', ['pictures/'], 'SEND_FILE pictures/|'],
    ['SEND_FILE "pic', ['my "pic"', 'pic tures/'], 'SEND_FILE "pic tures/|"'],
    ['SEND_FILE "pic|"', ['pic tures/'], 'SEND_FILE "pic tures/|"'],
    ['SEND_FILE "rep', ['report "1".pdf'], String.raw`SEND_FILE "report \"1\".pdf"|`],
    ["SEND_FILE 'it", ["it's"], String.raw`SEND_FILE 'it'\''s'|`],
    ['SEND_FILE<rep', ['report.pdf'], 'SEND_FILE<report.pdf>|'],
    ['SEND_FILE <pic|>', ['pictures/'], 'SEND_FILE <pictures/|>'],
    ['SEND_FILE ~', [], 'SEND_FILE ~/|'],
    ['SEND_FILE ~/re', ['report.pdf'], 'SEND_FILE ~/report.pdf|', HOME],
    ['SEND_FILE /etc/ho', ['hosts'], 'SEND_FILE /etc/hosts|', '/etc'],
    ['SEND_FILE sub/x', ['x1'], 'SEND_FILE sub/x1|', `${WORK}/sub`],
    ['SEND_FILE ..', [], 'SEND_FILE ../|'],
    ['SEND_FILE REP', ['report.pdf'], 'SEND_FILE report.pdf|'],
    ['SEND_FILE Re', ['Readme', 'report'], 'SEND_FILE Readme|'],
    ['SEND_FILE re', ['Readme', 'REport'], 'SEND_FILE re|'],
    ['SEND_FILE ', ['.hidden', 'seen'], 'SEND_FILE seen|'],
    ['SEND_FILE .h', ['.hidden', 'seen'], 'SEND_FILE .hidden|'],
    ['SEND_FILE -', ['-', 'x'], 'SEND_FILE ./-|'],
    ['SEND_FILE - re', ['report.pdf'], 'SEND_FILE - re!'],
    ['SEND_FILE rep|ort', ['report.pdf'], 'SEND_FILE rep|ort!'],
    ['SEND_FILE q', ['report.pdf'], 'SEND_FILE q!'],
    ['SEND_FILE a', ['a👩‍👩‍👧', 'a👩‍👦'], 'SEND_FILE a👩‍|'],
  ];
  for (const [typed, names, after, where = WORK] of rows) it(`${typed} → ${after}`, async () => assert.equal(await tab(typed, folder(where, ...names)), after));

  it('is listed with its last name only, folders marked, in natural order, harmless', async () => {
    const { candidates } = await completion('SEND_FILE sub/', folder(`${WORK}/sub`, 'b10', 'b9', 'c/', 'd\u202egpj.exe'));
    assert.deepEqual(candidates, ['b9', 'b10', 'c/', 'd\\u202egpj.exe']);
  });

  it('that cannot be typed is not offered', async () => {
    assert.equal(await tab('SEND_FILE ', folder(WORK, 'a\nb', 'c\x1b', 'bad\ufffd')), 'SEND_FILE !');
  });

  it('is not completed by what some of many names have in common', async () => {
    const few = sources(() => Promise.resolve({ entries: [{ name: 'report1', folder: false }, { name: 'report2', folder: false }], cut: true }));
    assert.equal(await tab('SEND_FILE r', few), 'SEND_FILE r|');
  });
});

describe('what is inserted', () => {
  /** Parts of names that mean something to the command line, or to a file system. */
  const pieces = fc.constantFrom('a', 'B', ' ', '  ', '"', "'", '\\', '\\ ', '<', '>', '(', ')', '&', '-', '- ', '~', '.', '#', '*', '$', '`', ';', 'é', 'e\u0301', '👩‍👩‍👧', '\u00a0', '\u2028', '\u3000', '\ufeff', '🇩', '中');
  const name = fc
    .string({ unit: pieces, minLength: 1, maxLength: 8 })
    .filter((one) => one !== '.' && one !== '..' && one.isWellFormed());
  const styles = fc.constantFrom('', '"', "'", '<', '<"');

  it('is read back as the same file, however it is called and whatever was begun with', async () => {
    await fc.assert(
      fc.asyncProperty(name, fc.boolean(), styles, async (one, inFolder, begun) => {
        // A hidden file is asked for by its dot; a name that begins with a quotation mark, by its folder.
        const typed = `${inFolder ? 'sub/' : ''}${one.startsWith('.') ? '.' : ''}`;
        const line = `SEND_FILE ${begun}${typed}`;
        const { from, to, insert, after = '', candidates } = await completion(line, folder(inFolder ? `${WORK}/sub` : WORK, one));
        assert.equal(candidates.length, 1);
        const command = parseCommand(line.slice(0, from) + insert + after + line.slice(to));
        assert.ok(command.command === 'SEND_FILE' && command.name === undefined, JSON.stringify(command));
        assert.equal(resolve(WORK, expandHome(command.path, HOME)), join(WORK, inFolder ? 'sub' : '', one));
      }),
      { numRuns: 1500 },
    );
  });

  it('of a folder can be gone on from: the next Tab looks inside it', async () => {
    await fc.assert(
      fc.asyncProperty(name, styles, async (one, begun) => {
        const first = folder(WORK, `${one}/`);
        const line = await tab(`SEND_FILE ${begun}${one.startsWith('.') ? '.' : ''}`, first);
        const asked: string[] = [];
        await completion(line, sources((path) => {
          asked.push(path);
          return Promise.resolve({ entries: [], cut: false });
        }));
        assert.deepEqual(asked.map((path) => resolve(path)), [join(WORK, one)]);
      }),
      { numRuns: 700 },
    );
  });
});

describe('a real folder', () => {
  async function place(t: TestContext): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'p2p-complete-'));
    t.after(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  const all = () => true;

  it('gives files, folders and what links lead to, but nothing that cannot be sent', async (t) => {
    const path = await place(t);
    await mkdir(join(path, 'folder'));
    await writeFile(join(path, 'file'), '');
    await symlink('folder', join(path, 'to-folder'));
    await symlink('nowhere', join(path, 'to-nothing'));
    execFileSync('mkfifo', [join(path, 'pipe')]);
    const { entries, cut } = await readFolder(path, all);
    assert.deepEqual(entries.map(({ name, folder: is }) => name + (is ? '/' : '')).sort(), ['file', 'folder/', 'to-folder/']);
    assert.equal(cut, false);
  });

  it('that is not there, or is none, gives nothing', async (t) => {
    const path = await place(t);
    await writeFile(join(path, 'file'), '');
    assert.deepEqual(await readFolder(join(path, 'missing'), all), { entries: [], cut: false });
    assert.deepEqual(await readFolder(join(path, 'file'), all), { entries: [], cut: false });
  });

  it('is completed by what lies in it', async (t) => {
    const path = await place(t);
    await writeFile(join(path, "it's (1) – 100% \"real\".txt"), '');
    const line = await tab('SEND_FILE it', sources(readFolder, path, path));
    const command = parseCommand(line.replace('|', ''));
    assert.deepEqual(command, { command: 'SEND_FILE', path: "it's (1) – 100% \"real\".txt" });
  });
});
