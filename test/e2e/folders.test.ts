/**
 * Folders between the real programs: more than 10,000 files of an installed `node_modules`, the same again, one changed, and names, times
 * and things that are no files. (PROTOCOL.md 7.5.1, 7.6)
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { safeFileName } from '../../src/protocol/names.js';
import { forgetPeak, peakResidentBytes } from '../helpers/memory.js';
import { ended, Scene } from '../helpers/scene.js';
import { diffFolders, filesBelow, Random, seededFile, seededFolder } from '../helpers/trees.js';
import type { JsonEvent } from '../helpers/json-client.js';
import { projectRoot } from '../protocol/specification.js';

const run = promisify(execFile);
const MB = 1e6;

/** Copies of what is installed here, without its symbolic links. @returns the number of regular files. */
async function installedTree(folder: string, copies: number): Promise<number> {
  const installed = realpathSync(join(projectRoot(), 'node_modules'));
  mkdirSync(folder);
  for (let copy = 1; copy <= copies; copy += 1) await run('cp', ['-r', '--reflink=auto', installed, join(folder, `copy ${copy}`)]);
  await run('find', [folder, '-type', 'l', '-delete']);
  return filesBelow(folder).length;
}

/** All paths below `folder` with their modification times, which are those of the source to the millisecond. */
function times(folder: string): [path: string, modifiedMs: number][] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return ['', ...paths].map((path) => [path, Math.floor(statSync(join(folder, path)).mtimeMs)]);
}

describe('a folder', () => {
  it('of more than 10,000 real files arrives as it is; the same again moves nothing; a change moves alone', { timeout: 180_000 }, async (t) => {
    const scene = await Scene.open(t);
    const source = join(scene.folder, 'tree');
    const files = await installedTree(source, 3);
    assert.ok(files > 10_000, `${files} files`);
    for (const client of [scene.alice, scene.bob]) await forgetPeak(client.pid);
    let counted = 0;
    for (const client of [scene.alice, scene.bob]) client.onEvent((event) => (counted = event.event === 'progress' ? Math.max(counted, Number(event['files'])) : counted));
    const first = await scene.send(source, 'tree');
    assert.ok(counted > files / 2 && counted <= files, `${counted} files were said to have come`);
    await diffFolders(source, scene.received('tree'));
    assert.deepEqual(times(scene.received('tree')), times(source));
    for (const end of [first.sent, first.taken]) assert.deepEqual([end['files'], end['same'], end['refused'], end['resumed']], [files, 0, 0, 0]);
    const { bytes } = first.sent;
    t.diagnostic(`${files} files, ${Math.round(Number(bytes) / MB)} MB in ${Number(first.sent['seconds']).toFixed(1)} s`);

    for (const client of [scene.alice, scene.bob]) {
      const peak = await peakResidentBytes(client.pid);
      t.diagnostic(`${client.user} needed at most ${Math.round(peak / MB)} MB`);
      assert.ok(peak < 150 * MB, `${client.user} needed ${Math.round(peak / MB)} MB`);
    }

    const again = await scene.send(source, 'tree');
    for (const end of [again.sent, again.taken]) assert.deepEqual([end['files'], end['same'], end['resumed']], [files, files, bytes]);
    assert.deepEqual(readdirSync(scene.received()), ['tree']);
    t.diagnostic(`again: nothing moved in ${Number(again.sent['seconds']).toFixed(1)} s`);

    const changed = 'copy 2/typescript/package.json';
    writeFileSync(join(source, `${changed}.new`), `${readFileSync(join(source, changed), 'utf8')}\n`);
    renameSync(join(source, `${changed}.new`), join(source, changed));
    const third = await scene.send(source, 'tree');
    assert.deepEqual([third.taken['same'], Number(third.taken['bytes']) - Number(third.taken['resumed'])], [files - 1, statSync(join(source, changed)).size]);
    const renamed = scene.received('tree', 'copy 2/typescript/package (1).json');
    assert.deepEqual(readFileSync(renamed), readFileSync(join(source, changed)), 'the new one stands beside the old one');
    assert.equal(filesBelow(scene.received('tree')).length, files + 1);
  });

  it('says before the answer how much of it is there already', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t, { options: { bob: ['--accept', 'ask'] } });
    const source = join(scene.folder, 'photos');
    seededFolder(source, 100, new Random(3));
    const [sent] = await Promise.all([ended(scene.alice, 'photos'), accepted(scene), scene.alice.command(`SEND_FILE "${source}"`)]);
    assert.equal(sent['files'], 100);
    seededFile(join(source, 'new.jpg'), 1000, new Random(4));
    const compared = scene.bob.nextOf(['offer', 'offer-update'], (event) => event['same'] !== undefined && event['counted'] === true, 20_000);
    const [again] = await Promise.all([ended(scene.alice, 'photos'), accepted(scene, compared), scene.alice.command(`SEND_FILE "${source}"`)]);
    const { files, same } = await compared;
    assert.deepEqual([files, same, again['same']], [101, 100, 100]);
  });

  it('with names of every sort arrives under them, or under what the one rule makes of them', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const names = ['with space', ' leading', 'trailing ', 'Gr\u00f6\u00dfe.txt', 'e\u0301.txt', '\u65e5\u672c\u8a9e', '\u{1f600}\u{1f468}\u200d\u{1f469}.png', 'line\nbreak', 'tab\there', '\u001b[31mred', '-rf', '*', 'a"b', "'", '$(reboot)', '.hidden', '...', 'CON', 'aux.txt', 'x.', 'a\u202ebmp.exe', 'x'.repeat(255), `${'\u00e9'.repeat(120)}.txt`];
    const source = join(scene.folder, 'names');
    mkdirSync(source);
    for (const [index, name] of names.entries()) {
      writeFileSync(join(source, name), `file ${index}`);
      mkdirSync(join(source, 'folders', name), { recursive: true });
      writeFileSync(join(source, 'folders', name, name), `inner ${index}`);
    }
    const { taken } = await scene.send(source, 'names');
    assert.deepEqual([taken['files'], taken['refused']], [2 * names.length, 0]);
    for (const [index, name] of names.entries()) {
      const stored = safeFileName(name, 'inside') ?? assert.fail(name);
      assert.equal(readFileSync(scene.received('names', stored), 'utf8'), `file ${index}`, JSON.stringify(name));
      assert.equal(readFileSync(scene.received('names', 'folders', stored, stored), 'utf8'), `inner ${index}`, JSON.stringify(name));
    }
    assert.equal(filesBelow(scene.received('names')).length, 2 * names.length);
  });

  it('keeps both of two names that become the same', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const source = join(scene.folder, 'twins');
    mkdirSync(source);
    writeFileSync(join(source, '\u00e9.txt'), 'composed');
    writeFileSync(join(source, 'e\u0301.txt'), 'decomposed');
    const { taken } = await scene.send(source, 'twins');
    assert.deepEqual([taken['files'], taken['refused']], [2, 0]);
    const contents = ['\u00e9.txt', '\u00e9 (1).txt'].map((name) => readFileSync(scene.received('twins', name), 'utf8'));
    assert.deepEqual(contents.sort(), ['composed', 'decomposed']);
  });

  it('keeps empty folders, empty files and old and odd times; one that is all empty as well', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const source = join(scene.folder, 'empties');
    mkdirSync(join(source, 'a/b/c'), { recursive: true });
    mkdirSync(join(source, 'd'));
    writeFileSync(join(source, 'a/empty'), '');
    writeFileSync(join(source, 'old'), 'x');
    utimesSync(join(source, 'old'), new Date('1999-12-31T23:59:59.123Z'), new Date('1999-12-31T23:59:59.123Z'));
    for (const folder of ['a/b/c', 'a/b', 'a', 'd', '']) utimesSync(join(source, folder), 1_000_000_000.5, 1_000_000_000.5);
    mkdirSync(join(scene.folder, 'nothing'));
    await scene.send(source, 'empties');
    await diffFolders(source, scene.received('empties'));
    assert.deepEqual(times(scene.received('empties')), times(source));
    const { taken } = await scene.send(join(scene.folder, 'nothing'), 'nothing');
    assert.deepEqual([taken['files'], readdirSync(scene.received('nothing'))], [0, []]);
  });

  it('leaves out links, sockets and pipes, and says so', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const source = join(scene.folder, 'mixed');
    seededFile(join(source, 'file'), 10, new Random(1));
    symlinkSync('/etc/passwd', join(source, 'link'));
    symlinkSync('/etc', join(source, 'linked folder'));
    await run('mkfifo', [join(source, 'pipe')]);
    await listening(t, join(source, 'socket'));
    const notes = new Map<string, string>();
    scene.alice.onEvent((event: JsonEvent) => {
      if (event.event === 'transfer-note') notes.set(String(event['path']), String(event['note']));
    });
    const { taken } = await scene.send(source, 'mixed');
    assert.deepEqual([taken['files'], filesBelow(scene.received('mixed')), readdirSync(scene.received('mixed'))], [1, ['file'], ['file']]);
    assert.deepEqual([...notes.keys()].sort(), ['link', 'linked folder', 'pipe', 'socket']);
    for (const [path, word] of [['link', 'link'], ['linked folder', 'link'], ['pipe', 'pipe'], ['socket', 'socket']] as const) assert.match(notes.get(path) ?? '', new RegExp(word, 'u'));
  });

  it('of the name of another that is there goes into it, and replaces nothing', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    const source = join(scene.folder, 'docs');
    for (const [path, text] of [['same.txt', 'same'], ['other.txt', 'mine'], ['new/inner.txt', 'new']] as const) {
      mkdirSync(join(source, path, '..'), { recursive: true });
      writeFileSync(join(source, path), text);
    }
    mkdirSync(scene.received('docs'), { recursive: true });
    writeFileSync(scene.received('docs/same.txt'), 'same');
    writeFileSync(scene.received('docs/other.txt'), 'his!');
    writeFileSync(scene.received('docs/only here.txt'), 'his');
    const { taken } = await scene.send(source, 'docs');
    assert.deepEqual([taken['same'], taken['refused']], [1, 0]);
    const contents = Object.fromEntries(filesBelow(scene.received('docs')).map((path) => [path, readFileSync(scene.received('docs', path), 'utf8')]));
    assert.deepEqual(contents, { 'same.txt': 'same', 'other.txt': 'his!', 'other (1).txt': 'mine', 'new/inner.txt': 'new', 'only here.txt': 'his' });
  });

  it('that changes while it is sent is never stored half', { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t, { options: { alice: ['--limit-rate', '10M'] } });
    const source = join(scene.folder, 'busy');
    const random = new Random(7);
    for (let index = 0; index < 20; index += 1) seededFile(join(source, `file ${String(index).padStart(2, '0')}`), 1024 * 1024, random);
    const before = new Map(filesBelow(source).map((path) => [path, readFileSync(join(source, path))]));
    const half = scene.bob.next('progress', (event) => Number(event['bytes']) > 5 * MB, 30_000).then(() => {
      rmSync(join(source, 'file 17'));
      writeFileSync(join(source, 'file 18'), 'short');
      seededFile(join(source, 'file 20'), 100, random);
    });
    const [{ taken }] = await Promise.all([scene.send(source, 'busy'), half]);
    assert.equal(taken['refused'], 2);
    const stored = filesBelow(scene.received('busy')).sort();
    assert.deepEqual(stored, [...before.keys()].filter((path) => path !== 'file 17' && path !== 'file 18').sort());
    for (const path of stored) assert.ok(readFileSync(scene.received('busy', path)).equals(before.get(path)!), path);
  });
});

/** bob takes the next offer, once he has seen `first`. */
async function accepted(scene: Scene, first?: Promise<unknown>): Promise<void> {
  const [offer] = await Promise.all([scene.bob.next('offer', (event) => event['direction'] === 'incoming', 20_000), first]);
  await scene.bob.command(`ACCEPT_FILE ${String(offer['id'])}`);
}

async function listening(t: TestContext, path: string): Promise<void> {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
}
