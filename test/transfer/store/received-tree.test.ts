/** A folder at the receiver's disk: its list, its names, what is there, and how it gets to its place (HOSTILE 25, 26, 27, 32, 33, 35). */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { transferLimits } from '../../../src/protocol/limits.js';
import type { Entry } from '../../../src/protocol/peer-messages.js';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { inOneGo } from '../../../src/transfer/store/steps.js';
import { diskWith, entriesOf, hashOf, MODIFIED, Scene, send, systemError, wantedOf, type Tree } from './store-scene.js';

const tree: Tree = { 'a.txt': 'a', 'sub/b.txt': 'b', 'sub/deeper/c d.txt': 'c', 'sub/ü.txt': 'ü', empty: null, '.git/config': 'g', 'zero.bin': '' };
/** With the folders that its paths imply, below `top`. */
function below(top: string, of: Tree): Tree {
  const all: Record<string, string | null> = { [top]: null };
  for (const [path, content] of Object.entries(of)) {
    const names = path.split('/');
    for (let n = 1; n < names.length; n += 1) all[`${top}/${names.slice(0, n).join('/')}`] = null;
    all[`${top}/${path}`] = content as string | null;
  }
  return all;
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.remove());

describe('a folder', () => {
  it('arrives as it is: names, empty folders, times, and nothing executable', async () => {
    const stored = await scene.folder('top', tree);
    assert.deepEqual(scene.found(), below('top', tree));
    assert.deepEqual([stored.files, stored.bytes, stored.same, stored.refused], [6, 6, 0, 0]);
    const at = (path: string) => statSync(join(scene.received, 'top', path));
    for (const folder of ['sub', 'sub/deeper', 'empty', '.git']) assert.equal(at(folder).mtimeMs, MODIFIED + 1000, folder);
    assert.deepEqual([at('').mtimeMs, at('sub/b.txt').mtimeMs], [MODIFIED, MODIFIED]);
    assert.deepEqual([at('sub').mode & 0o777, at('a.txt').mode & 0o777], [0o700, 0o600]);
    assert.deepEqual(scene.partials(), []);
  });

  it('may have nothing in it', async () => {
    await scene.folder('top', {});
    assert.deepEqual(scene.found(), { top: null });
  });

  it('sent again moves no byte, and says so', async () => {
    await scene.folder('top', tree);
    const { entries, contents } = entriesOf(tree);
    const place = scene.open(wantedOf('folder', 'top'));
    assert.equal(send(place, entries, contents).bytes, 0);
    const stored = await place.publish();
    assert.deepEqual([stored.same, stored.resumed], [6, 6]);
    assert.deepEqual(scene.found(), below('top', tree));
  });

  it('is merged into one that is there: what differs gets a number and a note, the rest its name', async () => {
    await scene.folder('top', { 'a.txt': 'mine', 'sub/b.txt': 'b', own: 'x' });
    await scene.folder('top', tree);
    assert.deepEqual(scene.found(), { ...below('top', { ...tree, 'a.txt': 'mine', 'a (1).txt': 'a', own: 'x' }) });
    assert.deepEqual(scene.notes, ['a.txt: is stored as a (1).txt, since another has its name']);
    // And again: nothing more.
    const { entries, contents } = entriesOf(tree);
    const place = scene.open(wantedOf('folder', 'top'));
    assert.equal(send(place, entries, contents).bytes, 0);
    await place.publish();
    assert.equal(Object.keys(scene.found()).length, Object.keys(below('top', tree)).length + 2);
  });

  it('stands beside a file of its name, on every level', async () => {
    scene.make('received/top (1)');
    writeFileSync(join(scene.received, 'top'), 'file');
    writeFileSync(join(scene.received, 'top (1)', 'sub'), 'file');
    await scene.folder('top', { 'sub/b.txt': 'b' });
    assert.deepEqual(scene.found(), { top: 'file', 'top (1)': null, 'top (1)/sub': 'file', 'top (1)/sub (1)': null, 'top (1)/sub (1)/b.txt': 'b' });
  });

  it('goes on in another run, entry by entry', async () => {
    const { entries, contents } = entriesOf(tree);
    const first = scene.open(wantedOf('folder', 'top'));
    send(first, entries, contents, { stopAfter: 3 });
    first.keep();
    const next = scene.open(wantedOf('folder', 'top'));
    assert.equal(send(next, entries, contents).bytes, 2);
    await next.publish();
    assert.deepEqual(scene.found(), below('top', tree));
  });

  it('publishes nothing of an earlier run that is no longer sent', async () => {
    const { entries, contents } = entriesOf({ gone: 'x', 'old/gone': 'y', stays: 'z', last: '!' });
    const first = scene.open(wantedOf('folder', 'top'));
    send(first, entries, contents, { stopAfter: 3 });
    first.keep();
    await scene.folder('top', { stays: 'z', 'new': 'n' });
    assert.deepEqual(scene.found(), below('top', { stays: 'z', new: 'n' }));
    assert.equal(statSync(join(scene.received, 'top')).mtimeMs, MODIFIED);
  });

  it('says on the next link of a run what need not be listed again, and goes on behind it', async () => {
    const { entries, contents } = entriesOf(tree);
    const place = scene.open(wantedOf('folder', 'top'));
    send(place, entries, contents, { stopAfter: 2, pieceBytes: 1 });
    place.start();
    const { settled } = place;
    assert.ok(settled !== undefined && settled.entries > 1 && settled.entries < entries.length);
    const text = entries.slice(0, settled.entries).map((one) =>
      'folder' in one ? `d\0${one.folder.join('/')}\0` : `f\0${one.name}\0${one.size}\0${one.modified}\0`,
    );
    assert.equal(settled.blake3, hashOf(text.join('')));
    inOneGo(place.plan({ first: settled.entries, entries: entries.slice(settled.entries), last: true }));
    const filler = new RecordBlock(Buffer.alloc(10_000));
    for (const [entry, bytes] of contents) {
      if (entry < settled.entries) continue;
      filler.data(entry, 0, bytes);
      filler.end(entry, EntryStatus.whole, hashOf(bytes));
    }
    place.write(filler.block, filler.bytes);
    const stored = await place.publish();
    assert.deepEqual([stored.files, scene.found()], [6, below('top', tree)]);
  });

  it('begins its list anew where the sender has another by now', async () => {
    const place = scene.open(wantedOf('folder', 'top'));
    const before = entriesOf({ gone: 'x', stays: 'yy' });
    send(place, before.entries, before.contents, { stopAfter: 2, pieceBytes: 1 });
    const now = entriesOf({ stays: 'yy', more: 'm' });
    send(place, now.entries, now.contents);
    const stored = await place.publish();
    assert.deepEqual([scene.found(), stored.files], [below('top', { stays: 'yy', more: 'm' }), 2]);
  });

  it('does without a file that the sender cannot read, and says so', async () => {
    const stored = await scene.folder('top', { bad: 'half', good: 'g' }, undefined, { unreadable: new Set(['bad']) });
    assert.deepEqual([scene.found(), stored.refused, scene.notes.length], [below('top', { good: 'g' }), 1, 1]);
  });

  it('does without an entry that the disk refuses, and says so', async () => {
    const disk = diskWith((call, [path]) => ((call === 'open' || call === 'mkdir') && /\/(?:bad|worse)$/u.test(String(path)) ? systemError('EACCES') : undefined));
    const stored = await scene.folder('top', { bad: 'xx', 'worse/in it': 'y', good: 'g' }, disk);
    assert.deepEqual([scene.found(), stored.refused, stored.files], [below('top', { good: 'g' }), 3, 1]);
    assert.deepEqual(scene.notes.sort(), ['bad: cannot be stored here', 'worse: cannot be stored here']);
  });

  it('is moved whole and never into another that has appeared meanwhile', async () => {
    let done = false;
    const disk = diskWith((call, [, to]) => {
      if (call === 'rename' && String(to).endsWith('/top') && !done) {
        done = true;
        writeFileSync(join(scene.received, 'top', 'a.txt'), 'quicker');
      }
      return undefined;
    });
    await scene.folder('top', { 'a.txt': 'a' }, disk);
    assert.deepEqual(scene.found(), below('top', { 'a.txt': 'quicker', 'a (1).txt': 'a' }));
  });
});

describe('names in a folder', () => {
  const named = async (entries: Entry[]) => {
    const place = scene.open(wantedOf('folder', 'top'));
    const contents = new Map(entries.flatMap((one, n) => ('name' in one ? [[n, Buffer.alloc(one.size, 'x')] as const] : [])));
    send(place, entries, contents);
    const stored = await place.publish();
    return { stored, names: Object.keys(scene.found()).map((path) => path.slice('top/'.length)).filter((path) => path !== '') };
  };
  const file = (name: string): Entry => ({ name, size: 1, modified: MODIFIED });
  const folder = (...names: string[]): Entry => ({ folder: names, modified: MODIFIED });

  it('that mean a path are not taken, nor what is in such a folder (HOSTILE 25)', async () => {
    const bad = ['../x', '/x', 'C:x', '\\\\host\\x', 'a\\..\\b', '', '.', '..', 'a\0b', 'a:s', '\ud800'];
    const { stored, names } = await named([...bad.map(file), folder('..'), file('in'), folder('..', 'sub'), file('in'), folder('ok'), file('fine')]);
    assert.deepEqual([names, stored.refused], [['ok', 'ok/fine'], bad.length + 4]);
    assert.deepEqual(readdirSync(scene.root).sort(), ['partial', 'received']);
  });

  it('that are dangerous are made safe (HOSTILE 25, 33)', async () => {
    const { names } = await named([file('CON.txt'), file('x.'), file(' lead'), file('\u202etxt.exe'), file('n'.repeat(300))]);
    assert.deepEqual(names, ['_CON.txt', '_lead', '_txt.exe', 'n'.repeat(240), 'x']);
  });

  it('that become the same are told apart, files and folders alike (HOSTILE 26)', async () => {
    const { names } = await named([file('é'), file('e\u0301'), file('a?'), file('a*'), folder('a|'), file('in'), folder('a|', 'sub'), file('deep')]);
    assert.deepEqual(names, ['a_', 'a_ (1)', 'a_ (2)', 'a_ (2)/in', 'a_ (2)/sub', 'a_ (2)/sub/deep', 'é', 'é (1)']);
  });

  for (const [what, entries] of [
    ['a folder before its parent', [folder('a', 'b')]],
    ['a folder twice', [folder('a'), folder('a')]],
    ['a path that is too long', [folder('a'.repeat(900)), folder('a'.repeat(900), 'b'.repeat(900)), folder('a'.repeat(900), 'b'.repeat(900), 'c'.repeat(900))]],
    ['a file whose path is too long', [folder('a'.repeat(900)), folder('a'.repeat(900), 'b'.repeat(900)), file('c'.repeat(900))]],
    ['folders too deep', Array.from({ length: transferLimits.folderDepth + 1 }, (_, n) => folder(...'a'.repeat(n + 1).split('')))],
  ] as const) {
    it(`a list with ${what} is refused (HOSTILE 32)`, async () => {
      await assert.rejects(named([...entries]), { code: 'bad-listing' });
    });
  }

  for (const [what, lists] of [
    ['leaves a gap', [[0, [file('a')], false], [2, [file('b')], false]]],
    ['says something again', [[0, [file('a')], false], [0, [file('a')], false]]],
    ['goes on after its end', [[0, [file('a')], true], [1, [file('b')], true]]],
    ['is too long', [[0, Array.from({ length: transferLimits.folderEntries + 1 }, (_, n) => file(String(n))), true]]],
    ['runs too far ahead', [[0, Array.from({ length: 200_000 }, (_, n) => file(String(n))), true]]],
  ] as [string, [number, Entry[], boolean][]][]) {
    it(`a list that ${what} is refused (HOSTILE 32)`, () => {
      const place = scene.open(wantedOf('folder', 'top'));
      place.start();
      const last = lists.pop()!;
      const plan = ([first, entries, end]: [number, Entry[], boolean]) => inOneGo(place.plan({ first, entries, last: end }));
      for (const list of lists) plan(list);
      assert.throws(() => plan(last), { code: 'bad-listing' });
      place.keep();
    });
  }
});

describe('the whole list', () => {
  it('has an end, also where every entry ends at once (HOSTILE 32)', () => {
    const place = scene.open(wantedOf('folder', 'top'));
    place.start();
    const step = 50_000;
    const bad = Array.from({ length: step }, () => ({ name: '..', size: 0, modified: 0 }));
    let first = 0;
    for (; first < transferLimits.folderEntries; first += step) inOneGo(place.plan({ first, entries: bad, last: false }));
    assert.throws(() => inOneGo(place.plan({ first, entries: bad.slice(0, 1), last: true })), { code: 'bad-listing' });
    place.keep();
  });
});

describe('symbolic links around a folder (HOSTILE 27)', () => {
  let elsewhere: string;
  beforeEach(() => {
    elsewhere = scene.make('elsewhere');
  });
  afterEach(() => assert.deepEqual(readdirSync(elsewhere), []));

  it('in its place: not followed', async () => {
    scene.make('received');
    symlinkSync(elsewhere, join(scene.received, 'top'));
    await scene.folder('top', tree);
    assert.ok(lstatSync(join(scene.received, 'top')).isSymbolicLink());
    assert.deepEqual(lstatSync(join(scene.received, 'top (1)')).isDirectory(), true);
  });

  it('in the place of a folder or file within it: not followed, and not taken for the same', async () => {
    scene.make('received/top');
    symlinkSync(elsewhere, join(scene.received, 'top', 'sub'));
    const same = join(scene.make('mine'), 'a.txt');
    writeFileSync(same, 'a');
    utimesSync(same, MODIFIED / 1000, MODIFIED / 1000);
    symlinkSync(same, join(scene.received, 'top', 'a.txt'));
    const stored = await scene.folder('top', tree);
    assert.deepEqual([stored.same, scene.found()['top/sub (1)/b.txt'], scene.found()['top/a (1).txt']], [0, 'b', 'a']);
  });

  it('in the place of a staged folder: refused', () => {
    const { entries, contents } = entriesOf({ 'sub/b.txt': 'b' });
    const place = scene.open(wantedOf('folder', 'top'));
    place.start();
    inOneGo(place.plan({ first: 0, entries, last: true }));
    const sub = join(scene.partial, readdirSync(scene.partial)[0]!, 'content', 'sub');
    renameSync(sub, `${sub}.moved`);
    symlinkSync(elsewhere, sub);
    const filler = new RecordBlock(Buffer.alloc(100));
    for (const [entry, bytes] of contents) filler.data(entry, 0, bytes);
    assert.throws(() => place.write(filler.block, filler.bytes), { code: 'write-failed' });
    place.keep();
  });

  it('left in the staged tree: removed before anything is written or published', async () => {
    const place = scene.open(wantedOf('folder', 'top'));
    place.keep();
    const content = join(scene.partial, readdirSync(scene.partial)[0]!, 'content');
    mkdirSync(content, { recursive: true });
    for (const name of ['sub', 'a.txt', 'other']) symlinkSync(elsewhere, join(content, name));
    await scene.folder('top', tree);
    assert.deepEqual(scene.found(), below('top', tree));
  });
});
