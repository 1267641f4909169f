/**
 * Text from others in a terminal: HOSTILE 20 to 23, and that ordinary writing survives.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { quoted, visibleLine, visibleLines } from '../../src/protocol/text.js';

/** Everything a terminal executes, everything that reorders or hides where it has no business. */
const EXECUTED = /[\x00-\x1f\x7f-\x9f]/u;
const REORDERS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const BREAKS_LINES = /[\n\r\v\f\u0085\u2028\u2029]/u;

const hostileText = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\x9b', '\u202e', '\u200d', '\u0301', '\ufe0f', '👩', 'ب', 'क', '्', '\n', '\r', '\ud83d', 'a', ' '), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) });

describe('visibleLine', () => {
  const executed: [string, string, string][] = [
    ['OSC 52 writes the clipboard', '\x1b]52;c;aGk=\x07', '\\x1b]52;c;aGk=\\x07'],
    ['OSC 0 sets the title', '\x1b]0;title\x1b\\', '\\x1b]0;title\\x1b\\'],
    ['OSC 8 hides a link', '\x1b]8;;http://evil\x07x\x1b]8;;\x07', '\\x1b]8;;http://evil\\x07x\\x1b]8;;\\x07'],
    ['CSI 6n makes the terminal type', '\x1b[6n', '\\x1b[6n'],
    ['ESC c resets', '\x1bc', '\\x1bc'],
    ['DCS', '\x1bP1$r0m\x1b\\', '\\x1bP1$r0m\\x1b\\'],
    ['C1 CSI, OSC and DCS', '\u009b31m\u009d0;x\u009c\u0090q', '\\x9b31m\\x9d0;x\\x9c\\x90q'],
    ['an OSC without an end', '\x1b]0;', '\\x1b]0;'],
    ['carriage return', 'safe\rfake', 'safe\\rfake'],
    ['line feed', 'a\nbob> b', 'a\\nbob> b'],
    ['backspace, delete, bell, NUL', 'a\bb\x7fc\x07d\0', 'a\\x08b\\x7fc\\x07d\\x00'],
    ['tab in a name', 'a\tb', 'a\\tb'],
    ['line and paragraph separators', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\x85d'],
  ];
  for (const [name, text, shown] of executed) {
    it(`shows what a terminal would execute: ${name}`, () => assert.equal(visibleLine(text), shown));
  }

  const hidden: [string, string, string][] = [
    ['right-to-left override', 'invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
    ['isolates and marks', '\u2066a\u2069\u200f\u061c', '\\u2066a\\u2069\\u200f\\u061c'],
    ['zero width space, word joiner, byte order mark', 'a\u200bb\u2060c\ufeff', 'a\\u200bb\\u2060c\\ufeff'],
    ['joiner between Latin letters', 'a\u200db\u200cc', 'a\\u200db\\u200cc'],
    ['Hangul filler', 'a\u3164b', 'a\\u3164b'],
    ['tag characters without a flag', 'a\u{e0041}', 'a\\u{e0041}'],
    ['selector after a letter', 'a\ufe0f', 'a\\ufe0f'],
    ['lone surrogates', 'a\ud83db\udc00', 'a\\ud83db\\udc00'],
    ['soft hyphen', 'pay\u00adpal', 'pay\\xadpal'],
    ['two joiners in a row', '👩\u200d\u200d👩', '👩\\u200d\\u200d👩'],
  ];
  for (const [name, text, shown] of hidden) {
    it(`shows what hides or reorders: ${name}`, () => assert.equal(visibleLine(text), shown));
  }

  const ordinary = [
    'plain ASCII, with \\ and ~',
    'Ångström, café, cafe\u0301, Việt Nam, Viê\u0323t',
    'שָׁלוֹם',
    'می\u200cخواهم السلام عليكم',
    'नमस्ते क्\u200dष',
    '漢字かな交じり文、葛\u{e0100}城',
    '한국어',
    'ภาษาไทยที่นี่',
    '👩‍👩‍👧‍👦 👨🏻‍❤️‍💋‍👨🏻 🏳️‍🌈 ❤️ 1️⃣ 🇩🇪 👍🏽',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    '\u0600\u0661',
    '→ “quotes” … €',
  ];
  for (const text of ordinary) {
    it(`leaves ordinary writing as it is: ${text}`, () => assert.equal(visibleLine(text), text));
  }

  it('cuts piles of combining marks to four', () => {
    assert.equal(visibleLine(`Z${'\u0301'.repeat(10_000)}algo`), `Z${'\u0301'.repeat(4)}algo`);
  });

  it('gives a mark without a base one of its own, so that it does not settle on the speaker', () => {
    assert.equal(visibleLine('\u0338x'), '\u25cc\u0338x');
  });

  it('cuts chains of joined pictographs', () => {
    const shown = visibleLine('👩\u200d'.repeat(1000) + '👩');
    assert.ok(!shown.includes('👩\u200d'.repeat(5)));
  });

  it('never lets anything through that a terminal executes or that reorders', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const shown = visibleLine(text);
        assert.doesNotMatch(shown, EXECUTED);
        assert.doesNotMatch(shown, REORDERS);
        assert.doesNotMatch(shown, BREAKS_LINES);
        assert.ok(shown.isWellFormed());
      }),
      { numRuns: 2000 },
    );
  });

  it('never shows more than four marks or selectors in a row', () => {
    fc.assert(fc.property(hostileText, (text) => assert.doesNotMatch(visibleLine(text), /[\p{Mn}\p{Me}]{5}/u)), { numRuns: 2000 });
  });

  it('has nothing left to do the second time', () => {
    fc.assert(fc.property(hostileText, (text) => assert.equal(visibleLine(visibleLine(text)), visibleLine(text))), { numRuns: 2000 });
  });

  it('takes time in proportion to the length', () => {
    const time = (length: number) => {
      const text = '👩\u200d\u0301\x1b'.repeat(length);
      const start = performance.now();
      visibleLine(text);
      return performance.now() - start;
    };
    time(10_000);
    const [short, long] = [time(10_000), time(100_000)];
    assert.ok(long < short * 40 + 50, `${short} ms, then ${long} ms for ten times the text`);
  });
});

describe('visibleLines', () => {
  const cases: [string, string, string[]][] = [
    ['one line', 'hello', ['hello']],
    ['nothing', '', ['']],
    ['every kind of line break', 'a\nb\r\nc\u2028d\u2029e\u0085f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['a lone carriage return is no line break', 'real\rfake', ['real\\rfake']],
    ['pasted code keeps its indent', 'if x:\n\tpass', ['if x:', '    pass']],
    ['a break at the end', 'a\n', ['a', '']],
    ['marks at the start of a later line', 'a\n\u0301b', ['a', '\u25cc\u0301b']],
  ];
  for (const [name, text, lines] of cases) {
    it(`splits a message: ${name}`, () => assert.deepEqual(visibleLines(text), lines));
  }

  it('never leaves a line break or a control inside a line', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        for (const line of visibleLines(text)) assert.doesNotMatch(line, new RegExp(`${EXECUTED.source}|${BREAKS_LINES.source}`, 'u'));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('words of another in a sentence of ours', () => {
  it('cannot close the quotation marks around them', () => {
    assert.equal(quoted('no". -- Your password has expired. "'), `"no'. -- Your password has expired. '"`);
  });
});
