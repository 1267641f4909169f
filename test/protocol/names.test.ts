/** The two name rules (PROTOCOL.md 4.1 and 7.6; HOSTILE 9, 25, 26). */
import assert from 'node:assert/strict';
import { posix, win32 } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { textLimits } from '../../src/protocol/limits.js';
import { canonicalUserName, isUserName, numberedFileName, safeFileName } from '../../src/protocol/names.js';

describe('a user name', () => {
  for (const name of ['a', 'Alice', '0', 'a.b_c-d', 'x'.repeat(32), '7-of-9']) {
    it(`may be ${JSON.stringify(name)}`, () => assert.ok(isUserName(name)));
  }

  const bad = ['', 'x'.repeat(33), '.a', '-a', '_a', 'a b', ' a', 'a ', 'a\n', 'a\0', '\u001b[31m', 'аlice', 'alice\u202e', 'a\u200b', 'ä', 'a/b', 'a<b', 'a,b', 'ａ', 'a@b', '__proto__'];
  for (const name of bad) {
    it(`must not be ${JSON.stringify(name)} (HOSTILE 9)`, () => assert.ok(!isUserName(name)));
  }

  it('is ASCII of its alphabet, whatever is tried', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => !isUserName(name) || /^[\x21-\x7e]{1,32}$/u.test(name)));
  });

  it('is compared without regard to case', () => {
    assert.equal(canonicalUserName('Alice.B_9'), 'alice.b_9');
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/u), (name) => {
      const canonical = canonicalUserName(name);
      assert.ok(isUserName(canonical));
      assert.equal(canonicalUserName(name.toUpperCase()), canonical);
      assert.equal(canonicalUserName(canonical), canonical);
    }));
  });
});

describe('a file name from the other side', () => {
  const refused = ['', '.', '..', '/', '\\', '/x', '../x', 'a/b', 'a/', 'a\\..\\b', '\\\\host\\x', 'C:', 'C:x', 'a:s', 'a:', 'a\0', '\0', '\ud800', 'a\udfff.txt', '..\\x', '~/../x', '   ', '...', '. .'];
  const safe: readonly [string, string][] = [
    ['a.txt', 'a.txt'],
    ['Größe 1.txt', 'Größe 1.txt'],
    ['日本語.txt', '日本語.txt'],
    ['😀.png', '😀.png'],
    ['A\u0308.txt', '\u00c4.txt'],
    ['.bashrc', '_bashrc'],
    ['..hidden', '__hidden'],
    [' a', '_a'],
    ['x.', 'x'],
    ['x. . ', 'x'],
    ['a\nb', 'a_b'],
    ['a\u001b[2Jb', 'a_[2Jb'],
    ['a\u009bb', 'a_b'],
    ['a\u202egnp.exe', 'a_gnp.exe'],
    ['a\u2028b', 'a_b'],
    ['a\u200bb', 'a_b'],
    ['a\ufe0fb', 'a_b'],
    ['a\ue000b', 'a_b'],
    ['a*?"<>|b', 'a______b'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['aux.', '_aux'],
    ['NUL .txt', '_NUL .txt'],
    ['COM1.tar.gz', '_COM1.tar.gz'],
    ['lpt¹', '_lpt¹'],
    ['CONSOLE.txt', 'CONSOLE.txt'],
    ['COM10', 'COM10'],
    ['-rf', '-rf'],
    ['$(reboot)', '$(reboot)'],
    ['%2e%2e%2fx', '%2e%2e%2fx'],
    ['a b', 'a b'],
    ['\u3000a', '_a'],
    ['a\u3000', 'a'],
  ];
  for (const name of refused.slice(0, -3)) it(`is refused: ${JSON.stringify(name)}`, () => assert.equal(safeFileName(name), undefined));
  for (const [name, stored] of safe) it(`${JSON.stringify(name)} is stored as ${JSON.stringify(stored)}`, () => assert.equal(safeFileName(name), stored));
  for (const name of refused.slice(-3)) {
    it(`of dots and spaces alone, ${JSON.stringify(name)}, is harmless`, () => assert.match(safeFileName(name) ?? '_', /^_+$/u));
  }

  const inside: readonly [string, string][] = [
    ['.git', '.git'],
    ['.bashrc', '.bashrc'],
    ['..hidden', '..hidden'],
    ['...', '___'],
    ['. .', '___'],
    ['. a', '. a'],
    [' .a', '_.a'],
    ['.a.', '.a'],
    ['.\u202ea', '._a'],
    ['.e\u0301', '.\u00e9'],
    ['.con', '.con'],
    ['con.txt', '_con.txt'],
    [`.${'x'.repeat(300)}.txt`, `.${'x'.repeat(235)}.txt`],
    ['a.txt', 'a.txt'],
  ];
  for (const [name, stored] of inside) {
    it(`${JSON.stringify(name)} inside a folder is stored as ${JSON.stringify(stored)}`, () => assert.equal(safeFileName(name, 'inside'), stored));
  }
  for (const name of refused.slice(0, -3)) it(`is refused inside a folder too: ${JSON.stringify(name)}`, () => assert.equal(safeFileName(name, 'inside'), undefined));

  it('inside a folder is told apart from the top by leading dots alone', () => {
    fc.assert(fc.property(parts, (name) => {
      if (!/^[\s.]/u.test(name.normalize('NFC').replace(/[\\/:*?"<>|\p{Cc}\p{Cf}]/gu, '_'))) assert.equal(safeFileName(name, 'inside'), safeFileName(name));
    }), { numRuns: 2000 });
  });

  /** Names near all the edges of the rule. */
  const parts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.array(fc.constantFrom('.', '..', ' ', '/', '\\', ':', '\0', 'CON', 'con', 'nul', 'COM1', 'LPT¹', '.txt', '.tar.gz', 'é', 'e\u0301', '\u202e', '\u200d', '\ud800', '_', '\n', '😀', 'x'.repeat(238), '\u3000', '\ufeff', '\u1e9b\u0323'), { maxLength: 12 }).map((list) => list.join('')),
  );

  const places = fc.constantFrom('top' as const, 'inside' as const);

  it('is one component of a path, on every system', () => {
    fc.assert(fc.property(parts, places, (name, place) => {
      const stored = safeFileName(name, place);
      if (stored === undefined) return;
      assert.equal(posix.dirname(posix.join('/r', stored)), '/r');
      assert.equal(win32.dirname(win32.join('C:\\r', stored)), 'C:\\r');
      assert.equal(posix.basename(stored), stored);
      assert.equal(win32.basename(stored), stored);
    }), { numRuns: 2000 });
  });

  it('keeps every promise of the rule, whatever comes in', () => {
    fc.assert(fc.property(parts, places, (name, place) => {
      const stored = safeFileName(name, place);
      if (stored === undefined) return;
      assert.ok(stored.length > 0 && stored.isWellFormed());
      assert.ok(Buffer.byteLength(stored) <= textLimits.fileNameBytes, 'length');
      assert.equal(stored, stored.normalize('NFC'));
      assert.doesNotMatch(stored, /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u);
      assert.doesNotMatch(stored, place === 'top' ? /^[\s.]|[\s.]$/u : /^\s|[\s.]$/u);
      assert.doesNotMatch(stored, /^(?:con|prn|aux|nul|com\d|lpt\d)\s*(?:\.|$)/iu);
    }), { numRuns: 5000 });
  });

  it('is not changed by a second look, so a name that was stored can be sent on', () => {
    fc.assert(fc.property(parts, places, (name, place) => {
      const stored = safeFileName(name, place);
      if (stored !== undefined) assert.equal(safeFileName(stored, place), stored);
    }), { numRuns: 5000 });
  });

  it('that is refused means a path or is no text; all others get a safe name', () => {
    fc.assert(fc.property(parts, places, (name, place) => {
      const mustRefuse = name === '' || name === '.' || name === '..' || /[\\/:\0]/u.test(name) || !name.isWellFormed();
      assert.equal(safeFileName(name, place) === undefined, mustRefuse);
    }), { numRuns: 2000 });
  });

  it('that is long keeps its extension and is cut between characters', () => {
    assert.equal(safeFileName(`${'x'.repeat(300)}.txt`), `${'x'.repeat(236)}.txt`);
    assert.equal(safeFileName(`${'é'.repeat(200)}.tar.gz`), `${'é'.repeat(116)}.tar.gz`);
    assert.equal(safeFileName('😀'.repeat(100)), '😀'.repeat(60));
    assert.equal(safeFileName(`COM1.${'x'.repeat(235)}`), `_COM1.${'x'.repeat(234)}`);
    assert.equal(safeFileName(`CON${' '.repeat(300)}x`), '_CON');
    assert.equal(safeFileName(`x.${'y'.repeat(300)}`), `x.${'y'.repeat(238)}`);
  });
});

describe('a numbered file name', () => {
  const cases: readonly [string, number, string][] = [
    ['a.txt', 1, 'a (1).txt'],
    ['a', 12, 'a (12)'],
    ['a.tar.gz', 2, 'a (2).tar.gz'],
    ['a.b.c', 3, 'a.b (3).c'],
    ['a.with space', 1, 'a.with space (1)'],
    [`a.${'x'.repeat(17)}`, 1, `a.${'x'.repeat(17)} (1)`],
    ['_bashrc', 1, '_bashrc (1)'],
  ];
  for (const [name, n, numbered] of cases) it(`${JSON.stringify(name)} becomes ${JSON.stringify(numbered)}`, () => assert.equal(numberedFileName(name, n), numbered));

  it('fits every file system and differs for every number', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 9_999 }), fc.integer({ min: 1, max: 9_999 }), (name, one, other) => {
      const stored = safeFileName(name);
      if (stored === undefined) return;
      assert.ok(Buffer.byteLength(numberedFileName(stored, one)) <= 255);
      assert.equal(numberedFileName(stored, one) === numberedFileName(stored, other), one === other);
      assert.equal(safeFileName(numberedFileName(stored, one)) !== undefined, true);
    }));
  });
});
