/** What leads somewhere, that it leads where it says, and who is addressed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPalette } from '../../src/terminal/colours.js';
import { rowsOf } from '../../src/terminal/layout.js';
import { fileLink, linkPieces, linksCanBeShown, webLinks } from '../../src/terminal/links.js';
import { mentionsOf } from '../../src/terminal/mentions.js';
import { paintedRows } from '../../src/terminal/screen/painted-rows.js';
import { eventLines } from '../../src/terminal/wording.js';

const context = { user: 'alice', current: 'bob', sessions: ['bob'], transfers: [], rateLimit: undefined, accept: 'ask', keysAnswer: undefined, interactive: true } as const;

describe('a web address in a message', () => {
  const found: [string, string[]][] = [
    ['see https://example.org/a?b=c#d now', ['https://example.org/a?b=c#d']],
    ['Look at http://example.org.', ['http://example.org']],
    ['(https://example.org/a)', ['https://example.org/a']],
    ['https://en.wikipedia.org/wiki/C_(language)', ['https://en.wikipedia.org/wiki/C_(language)']],
    ['https://a.b, https://c.d!', ['https://a.b', 'https://c.d']],
    ['<https://a.b> "http://[::1]:8080/"', ['https://a.b', 'http://[::1]:8080/']],
    ['file:///etc/passwd javascript:alert(1) ftp://a.b', []],
    ['https://', []],
  ];
  for (const [text, links] of found) it(text, () => assert.deepEqual(webLinks(text).map(({ target }) => target), links));

  it('is found in time, whatever stands around it (HOSTILE 24)', () => {
    for (const tail of [')', '.)', '.', '(', "'"]) {
      const text = `https://a.b/${tail.repeat(200_000)}x https://c.d/${tail.repeat(200_000)}`;
      const started = performance.now();
      webLinks(text);
      mentionsOf(text, 'a.b');
      assert.ok(performance.now() - started < 2_000, tail);
    }
    assert.equal(mentionsOf('al '.repeat(50_000), 'al').length, 100);
  });

  it('leads to what is shown and to nothing else (HOSTILE 20)', () => {
    const signs = fc.constantFrom('https://', 'a', '.', '/', ' ', '\x1b', ']8;;https://evil', '\x07', '\x1b\\', '\u0430', '\u202e', '\n', ')', '?');
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 40 }), fc.integer({ min: 5, max: 60 }), (parts, columns) => {
        const lines = eventLines({ event: 'message', peer: 'bob', direction: 'in', text: parts.join('') }, context);
        for (const row of paintedRows(lines, columns, createPalette(0, { links: true }), (text) => text)) {
          const rest = row.replace(/\x1b\]8;id=p2p;([\x21-\x7e]+)\x1b\\([\x21-\x7e]+)\x1b\]8;;\x1b\\/gu, (_whole, target: string, shown: string) => {
            assert.ok(target.includes(shown) && /^https?:\/\//u.test(target));
            return shown;
          });
          assert.doesNotMatch(rest, /[\x00-\x1f\x7f-\x9f]/u);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a link that is broken into rows', () => {
  it('leads there from every part', () => {
    const text = `see https://example.org/${'a'.repeat(60)} now`;
    const links = webLinks(text);
    const rows = rowsOf({ kind: 'message', prefix: 'bob> ', again: 'bob> ', text }, 40).map((row) => row.text);
    const parts = linkPieces(text, rows, links).flatMap((pieces, index) => pieces.map(({ from, to }) => rows[index]?.slice(from, to)));
    assert.ok(parts.length >= 2);
    assert.equal(parts.join(''), links[0]?.text);
  });
  it('stays whole in a row that has room for it', () => {
    const text = `a few words first, https://example.org/${'a'.repeat(10)} now`;
    const rows = rowsOf({ kind: 'message', prefix: 'bob> ', again: 'bob> ', text }, 40).map((row) => row.text);
    assert.ok(rows.some((row) => row.includes(`https://example.org/${'a'.repeat(10)}`)));
  });
});

describe('the path of a received file', () => {
  const done = { event: 'transfer-done', id: 1, peer: 'bob', direction: 'incoming', name: 'a', kind: 'file', bytes: 1, resumed: 0, files: 1, same: 0, refused: 0, seconds: 1, blake3: 'ab' } as const;
  it('leads to the file, and its target holds no control character', () => {
    const path = '/home/alice/received/it\'s 100 %\x1b]8;;x\x07\u202e.txt';
    const [link] = eventLines({ ...done, path }, context).flatMap(({ links = [] }) => links);
    assert.match(link?.target ?? '', /^file:\/\/\/home\/alice\/received\/it's%20100%20%25%1B(?:\]|%5D)8;;x%07%E2%80%AE\.txt$/u);
  });
  it('is no link where it is longer than terminals take', () => assert.deepEqual(fileLink('x', `/${'x'.repeat(3000)}`), []));
});

describe('links are shown', () => {
  for (const [shown, env] of [[true, { TERM: 'xterm-256color' }], [true, { TERM: 'screen', TMUX: 'x' }], [false, { TERM: 'linux' }], [false, { TERM: 'screen' }], [false, {}]] as const) {
    it(`${shown ? 'with' : 'not with'} ${JSON.stringify(env)}`, () => assert.equal(linksCanBeShown(env), shown));
  }
});

describe('a message addresses somebody', () => {
  const words = (text: string, name: string) => mentionsOf(text, name).map(({ from, to }) => text.slice(from, to));
  const addressed: [string, string, string[]][] = [
    ['hello alice', 'alice', ['alice']],
    ['@Alice: look', 'alice', ['@Alice']],
    ['ask alice.', 'alice', ['alice']],
    ['alice, Alice and ALICE!', 'alice', ['alice', 'Alice', 'ALICE']],
    ['malice, alices, alice2, alice_x, xalice', 'alice', []],
    ['alice-b and alice.b', 'alice', []],
    ['a.b wins, axb does not', 'a.b', ['a.b']],
    ['älice', 'lice', []],
  ];
  for (const [text, name, found] of addressed) it(`${name} in "${text}"`, () => assert.deepEqual(words(text, name), found));
});
