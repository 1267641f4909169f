/** What holds for the edited line whatever keys are pressed, in whatever order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { EditorAction } from '../../../src/terminal/editing/editing-types.js';
import { chord, Keyboard, KEYS } from './keyboard.js';

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

const FRAGMENTS = ['a', 'B', ' ', '_', '7', '"', 'ä', 'e\u0301', '\u0301', '👍', '🏽', '👩‍👩‍👧', '\u200d', '🇩', '🇪', '한', 'ᄒ', 'ᅡ', '中', 'क्षि', '\u094d', 'ﷺ', '\ufe0f', '\u202e', '\u2028', '1️⃣'];
const CHORDS = ['C-a', 'C-e', 'C-b', 'C-f', 'C-d', 'C-h', 'C-k', 'C-u', 'C-w', 'C-y', 'C-t', 'C-l', 'C-p', 'C-n', 'C-r', 'C-s', 'C-g', 'M-b', 'M-f', 'M-d', 'M-y', 'M-.', 'M-u', 'M-l', 'M-c', 'M-<', 'M->', 'M-r'];

const text = fc.constantFrom(...FRAGMENTS).map((one) => ({ press: one }));
const control = fc.constantFrom(...Object.values(KEYS), ...CHORDS.map(chord)).map((one) => ({ press: one }));
const paste = fc.string({ unit: fc.constantFrom(...FRAGMENTS, '\n', '\r', '\t', '\x1b', '\ud800', '\udc00'), maxLength: 12 }).map((one) => ({ paste: one }));
const keys = fc.array(fc.oneof({ weight: 4, arbitrary: text }, { weight: 5, arbitrary: control }, { weight: 1, arbitrary: paste }), { maxLength: 60 });

const HISTORY = ['first line', 'e\u0301 👩‍👩‍👧 🇩🇪', 'two\nlines', 'Last one'];

function act(keyboard: Keyboard, one: { press: string } | { paste: string }): EditorAction {
  return 'press' in one ? keyboard.press(one.press) : keyboard.editor.paste(one.paste);
}

it('the cursor stands between clusters of what is shown, and what is shown is safe', () => {
  fc.assert(
    fc.property(keys, (sequence) => {
      const keyboard = new Keyboard({ history: HISTORY });
      for (const one of sequence) {
        act(keyboard, one);
        const { text: shown, cursor } = keyboard.editor.view();
        assert.ok(cursor === shown.length || segmenter.segment(shown).containing(cursor)?.index === cursor, `${JSON.stringify(shown)} at ${cursor}`);
        assert.doesNotMatch(shown, /[\p{Cc}\u2028\u2029\u202e]/u);
      }
    }),
    { numRuns: 400 },
  );
});

it('what leaves is well formed, and the line is empty then', () => {
  fc.assert(
    fc.property(keys, (sequence) => {
      const keyboard = new Keyboard({ history: HISTORY });
      for (const one of sequence) {
        const action = act(keyboard, one);
        if (action.kind !== 'line') continue;
        assert.ok(action.text.isWellFormed());
        assert.doesNotMatch(action.text, /\r/u);
        assert.equal(keyboard.editor.view().text, '');
      }
    }),
    { numRuns: 200 },
  );
});

it('undo leads back to the empty line', () => {
  fc.assert(
    fc.property(keys, (sequence) => {
      const keyboard = new Keyboard({ history: HISTORY });
      for (const one of sequence) act(keyboard, one);
      keyboard.press(chord('C-g'));
      for (let steps = 0; keyboard.press(KEYS.undo).kind === 'redraw'; steps += 1) assert.ok(steps <= 200);
      assert.equal(keyboard.editor.view().text, '');
    }),
    { numRuns: 200 },
  );
});

it('Backspace from the end takes everything, cluster by cluster', () => {
  fc.assert(
    fc.property(keys, (sequence) => {
      const keyboard = new Keyboard({ history: HISTORY });
      for (const one of sequence) act(keyboard, one);
      keyboard.press(chord('C-g'), chord('C-e'));
      for (let steps = 0; keyboard.press(KEYS.backspace).kind === 'redraw'; steps += 1) assert.ok(steps < 2000);
      assert.equal(keyboard.editor.view().text, '');
    }),
    { numRuns: 200 },
  );
});
