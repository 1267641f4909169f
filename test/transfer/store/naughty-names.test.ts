/** The file-name rule inside a folder, on real corpora and on anything: each name lands in its folder, safe, and none on another (HOSTILE 25, 26). */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { textLimits } from '../../../src/protocol/limits.js';
import { safeFileName } from '../../../src/protocol/names.js';
import { EntryNames } from '../../../src/transfer/store/entry-names.js';
import { MODIFIED, Scene, send, wantedOf } from './store-scene.js';

const naughty = createRequire(import.meta.url)('big-list-of-naughty-strings') as string[];
const TOP = { raw: '', safe: '', modified: undefined };

/** What must be true of a name that is stored, whatever was listed. */
function mustBeSafe(name: string): void {
  assert.ok(name !== '' && name !== '.' && name !== '..', name);
  assert.doesNotMatch(name, /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|^\s|[\s.]$/u);
  assert.doesNotMatch(name, /^(?:con|prn|aux|nul|com\d|lpt\d)\s*(?:\.|$)/iu);
  assert.equal(name, name.normalize('NFC'));
  assert.ok(Buffer.byteLength(name) <= textLimits.fileNameBytes + ' (10000)'.length);
}

/** Anything that a hostile list may hold, and what becomes the same as something else. */
const anyName = fc.oneof(fc.constantFrom(...naughty), fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: fc.constantFrom('a', 'A', '.', ' ', '?', '*', 'é', 'e\u0301', '/', '\\', ':', '\0', '\u202e', '\ud800'), maxLength: 5 }));

describe('names inside a folder', () => {
  it('are safe or refused, as themselves and as folders, for every naughty string', () => {
    for (const name of naughty) {
      const safe = safeFileName(name, 'inside');
      if (safe !== undefined) mustBeSafe(safe);
      const { safe: path } = new EntryNames(false).folder([name.slice(0, 1000)]);
      if (path !== undefined) mustBeSafe(path);
    }
  });

  it('are safe whatever they are, and no two of a folder are the same, in any case', () => {
    fc.assert(
      fc.property(fc.array(anyName, { maxLength: 40 }), fc.boolean(), (list, foldsCase) => {
        const names = new EntryNames(foldsCase);
        const taken = new Set<string>();
        for (const name of list) {
          const { safe, note } = names.file(TOP, name);
          if (safe === undefined) {
            assert.ok(note !== undefined);
            continue;
          }
          mustBeSafe(safe);
          const key = foldsCase ? safe.toLowerCase() : safe;
          assert.ok(!taken.has(key), safe);
          taken.add(key);
        }
      }),
    );
  });

  it('lead to the same paths when the list is told again from somewhere on', () => {
    fc.assert(
      fc.property(fc.array(anyName, { minLength: 1, maxLength: 20 }), fc.nat(19), (list, at) => {
        const names = new EntryNames(true);
        const first = list.map((name) => names.file(TOP, name).safe);
        const from = Math.min(at, list.length);
        for (const safe of first.slice(from).reverse()) names.forget(safe);
        assert.deepEqual(list.slice(from).map((name) => names.file(TOP, name).safe), first.slice(from));
      }),
    );
  });

  it('all arrive on a real disk, each once, and nowhere else', async () => {
    const scene = new Scene();
    const entries = naughty.map((name) => ({ name, size: Buffer.byteLength(name), modified: MODIFIED }));
    const contents = new Map(naughty.map((name, n) => [n, Buffer.from(name)]));
    const place = scene.open(wantedOf('folder', 'top'));
    send(place, entries, contents);
    const stored = await place.publish();
    const found = Object.entries(scene.found()).filter(([, content]) => content !== null);
    assert.deepEqual([found.length, stored.files + stored.refused], [stored.files, naughty.length]);
    const sent = naughty.filter((name) => safeFileName(name, 'inside') !== undefined).map((name) => Buffer.from(name).toString());
    assert.deepEqual(found.map(([, content]) => content).sort(), sent.sort());
    scene.remove();
  });
});
