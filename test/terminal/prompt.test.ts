/** What the prompt shows, and in which colours people appear. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPalette, PEOPLE_COLOURS } from '../../src/terminal/colours.js';
import type { PromptState } from '../../src/terminal/prompt.js';
import { promptParts } from '../../src/terminal/prompt.js';

const calm: PromptState = { user: 'alice', current: 'bob', verified: false, undelivered: 0, sessions: [{ peer: 'bob', number: 1, unread: 0 }] };
const text = (state: Partial<PromptState>) => promptParts({ ...calm, ...state }, createPalette(0)).map((span) => span.text).join('');
const session = (peer: string, number: number, unread: number) => ({ peer, number, unread });

describe('the prompt', () => {
  it('shows who is spoken to', () => {
    assert.equal(text({}), 'alice → bob> ');
    assert.equal(text({ current: undefined, sessions: [] }), 'server> ');
  });
  it('marks a verified peer', () => assert.equal(text({ verified: true }), 'alice → bob ✓> '));
  it('counts what has not arrived', () => assert.equal(text({ undelivered: 2 }), 'alice → bob (2 not delivered)> '));
  it('says who else waits, with number and count', () => {
    assert.equal(text({ sessions: [session('bob', 1, 0), session('carol', 2, 3), session('dave', 3, 0)] }), '[2 carol: 3] alice → bob> ');
    assert.equal(text({ current: undefined, sessions: [session('bob', 1, 1)] }), '[1 bob: 1] server> ');
  });
  it('never counts what is in view', () => assert.equal(text({ sessions: [session('bob', 1, 5)] }), 'alice → bob> '));
  it('counts those for whom there is no room', () => {
    assert.equal(text({ sessions: ['c', 'd', 'e', 'f', 'g'].map((peer, index) => session(peer, index + 2, 1)) }), '[2 c: 1, 3 d: 1, 4 e: 1, +2] alice → bob> ');
  });
  it('shows no control character of a name', () => {
    assert.equal(text({ current: 'b\x1b[2J' }), 'alice → b\\x1b[2J> ');
    assert.equal(text({ sessions: [session('c\x1b[2J', 2, 1)] }), '[2 c\\x1b[2J: 1] alice → bob> ');
  });
});

describe('the colour of a person', () => {
  const palette = createPalette(2);
  it('is the same whatever the case, and for the prompt and what they say', () => {
    assert.equal(palette.person('Bob', 'x'), palette.person('bob', 'x'));
    assert.equal(palette.line('message', 'bob> ', '', { speaker: 'bob' }), palette.person('bob', 'bob> '));
  });
  it('differs between people', () => {
    const colours = new Set(Array.from({ length: 200 }, (_, n) => palette.person(`user${n}`, 'x')));
    assert.equal(colours.size, PEOPLE_COLOURS.length);
  });
  it('is never one of the sixteen where there are more, and reads on black and on white', () => {
    const levels = [0, 95, 135, 175, 215, 255];
    const linear = (value: number) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    for (const colour of PEOPLE_COLOURS) {
      const [red = 0, green = 0, blue = 0] = [36, 6, 1].map((step) => linear(levels[Math.floor((colour - 16) / step) % 6] ?? 0));
      const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      assert.ok(Math.min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05) > 4, String(colour));
    }
  });
  it('is not there without colours, nor is anything else', () => {
    const plain = createPalette(0);
    fc.assert(
      fc.property(fc.constantFrom('message', 'own-message', 'notice', 'error', 'help' as const), fc.string(), fc.string(), (kind, prefix, row) => {
        const marks = { stamp: '12:00 ', speaker: 'bob', mention: 'al', links: [{ from: 0, to: row.length, target: 'https://a' }] };
        assert.ok(plain.line(kind, prefix, row, marks).endsWith(row));
        assert.doesNotMatch(plain.line(kind, prefix.replaceAll('\x1b', ''), row.replaceAll('\x1b', ''), marks), /\x1b/u);
      }),
    );
  });
});

describe('what stands out in a row', () => {
  const palette = createPalette(1, { links: true });
  it('is the time, dim, and the own name, inverted', () => {
    const row = palette.line('message', '12:00 bob> ', 'hi alice!', { stamp: '12:00 ', speaker: 'bob', mention: 'alice' });
    assert.ok(row.startsWith('\x1b[2m12:00 \x1b[22m'));
    assert.ok(row.includes('hi \x1b[7malice\x1b[27m!'));
  });
  it('is a link, and only where it stands', () => {
    const row = palette.line('message', 'bob> ', 'see https://a.b now', { links: [{ from: 4, to: 15, target: 'https://a.b' }] });
    assert.ok(row.endsWith('see \x1b]8;id=p2p;https://a.b\x1b\\https://a.b\x1b]8;;\x1b\\ now'));
  });
  it('keeps every sign of the text, whatever overlaps', () => {
    const bare = (row: string) => row.replace(/\x1b\]8;[^\x1b]*\x1b\\|\x1b\[\d+m/gu, '');
    const words = fc.array(fc.constantFrom('al', ' ', 'https://al.b/al', '@al', 'x', '.'), { maxLength: 20 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(words, fc.nat(30), fc.nat(30), (row, a, b) => {
        const [from = 0, to = 0] = [Math.min(a, row.length), Math.min(b, row.length)].sort((one, two) => one - two);
        assert.equal(bare(palette.line('message', '', row, { mention: 'al', links: [{ from, to, target: 'https://t' }] })), row);
      }),
    );
  });
});
