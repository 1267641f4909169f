/** What the keys do to the line: the Emacs keys as in bash, by grapheme clusters. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTyped } from '../../../src/terminal/commands.js';
import { chord, Keyboard, KEYS } from './keyboard.js';

/** Typed keys, then the line with its cursor. */
function cases(rows: readonly [name: string, keys: readonly string[], shown: string][]): void {
  for (const [name, keys, shown] of rows) {
    it(name, () => {
      const keyboard = new Keyboard();
      keyboard.press(...keys);
      assert.equal(keyboard.shown, shown);
    });
  }
}

describe('moving', () => {
  cases([
    ['Ctrl-A goes to the beginning', ['two words', chord('C-a')], '|two words'],
    ['Ctrl-E goes to the end', ['two words', chord('C-a'), chord('C-e')], 'two words|'],
    ['Home and End do the same', ['ab', KEYS.home, 'x', KEYS.end, 'y'], 'xaby|'],
    ['Ctrl-B and Ctrl-F go by one', ['abc', chord('C-b'), chord('C-b'), chord('C-f')], 'ab|c'],
    ['arrows go by one', ['abc', KEYS.left, KEYS.left, KEYS.right], 'ab|c'],
    ['Alt-B goes to the beginning of a word', ['one two_three', chord('M-b')], 'one two_|three'],
    ['Alt-F goes behind a word', ['one two', chord('C-a'), chord('M-f')], 'one| two'],
    ['Ctrl with arrows goes by words', ['one two three', KEYS.ctrlLeft, KEYS.ctrlLeft, KEYS.ctrlRight], 'one two| three'],
    ['Alt with arrows goes by words', ['one two three', KEYS.altLeft, KEYS.altLeft, KEYS.altRight], 'one two| three'],
    ['an emoji of several people is one step', ['a👩‍👩‍👧b', KEYS.left, KEYS.left], 'a|👩‍👩‍👧b'],
    ['a flag is one step', ['🇩🇪🇫🇷', KEYS.left], '🇩🇪|🇫🇷'],
    ['a letter with an accent of its own is one step', ['e\u0301x', KEYS.left, KEYS.left], '|e\u0301x'],
  ]);

  it('does nothing at the ends', () => {
    const keyboard = new Keyboard();
    keyboard.press('a');
    assert.deepEqual([keyboard.press(KEYS.right), keyboard.press(KEYS.left).kind, keyboard.press(KEYS.left)], [{ kind: 'none' }, 'redraw', { kind: 'none' }]);
  });
});

describe('deleting and cutting', () => {
  cases([
    ['Backspace takes a whole emoji', ['a👍🏽', KEYS.backspace], 'a|'],
    ['Ctrl-H is Backspace', ['ab', chord('C-h')], 'a|'],
    ['Delete takes what is behind', ['ab', KEYS.home, KEYS.delete], '|b'],
    ['Ctrl-D takes what is behind', ['ab', KEYS.home, chord('C-d')], '|b'],
    ['Ctrl-K cuts to the end', ['one two', chord('M-b'), chord('C-k')], 'one |'],
    ['Ctrl-U cuts to the beginning', ['one two', chord('M-b'), chord('C-u')], '|two'],
    ['Ctrl-W cuts what spaces divide', ['send ~/a.b/c.d', chord('C-w')], 'send |'],
    ['Alt-Backspace cuts a word', ['send ~/a.b/c.d', KEYS.altBackspace], 'send ~/a.b/c.|'],
    ['Alt-D cuts the next word', ['one two three', KEYS.home, chord('M-d')], '| two three'],
    ['Ctrl-Y puts back what was cut', ['one two', chord('C-w'), 'x ', chord('C-y')], 'one x two|'],
    ['cuts in a row are one piece', ['one two three', chord('C-w'), chord('C-w'), 'x ', chord('C-y')], 'one x two three|'],
    ['cuts in both directions keep their order', ['one two three', chord('M-b'), chord('C-w'), chord('C-k'), chord('C-y')], 'one two three|'],
    ['Alt-Y takes the piece before', ['one', chord('C-u'), 'two', chord('C-u'), chord('C-y'), chord('M-y')], 'one|'],
    ['Alt-Y comes round to the newest', ['one', chord('C-u'), 'two', chord('C-u'), chord('C-y'), chord('M-y'), chord('M-y')], 'two|'],
    ['Alt-Y does nothing without Ctrl-Y', ['one', chord('C-u'), 'a', chord('M-y')], 'a|'],
  ]);
});

it('ten pieces that were cut can be put back', () => {
  const keyboard = new Keyboard();
  for (let piece = 1; piece <= 12; piece += 1) keyboard.press(String(piece), chord('C-u'));
  keyboard.press('x', KEYS.backspace, chord('C-y'));
  const found = new Set([keyboard.shown]);
  for (let times = 0; times < 12; times += 1) {
    keyboard.press(chord('M-y'));
    found.add(keyboard.shown);
  }
  assert.deepEqual([...found], ['12|', '11|', '10|', '9|', '8|', '7|', '6|', '5|', '4|', '3|']);
});

describe('changing', () => {
  cases([
    ['Ctrl-T exchanges two letters', ['abc', KEYS.left, chord('C-t')], 'acb|'],
    ['Ctrl-T at the end exchanges the last two', ['ab👍', chord('C-t')], 'a👍b|'],
    ['Alt-U, Alt-L and Alt-C change a word', ['one TWO three', KEYS.home, chord('M-u'), chord('M-l'), chord('M-c')], 'ONE two Three|'],
    ['a control that means nothing is not typed', ['a', '\x1c', '\x1d', '\0', 'b'], 'ab|'],
    ['an unknown escape sequence is not typed', ['a', '\x1b[99~', '\x1b[1;9Z', 'b'], 'ab|'],
    ['Alt-Enter begins another line of the message', ['one', KEYS.altEnter, 'two'], 'one⏎two|'],
  ]);
});

describe('undo', () => {
  cases([
    ['takes typed letters back together', ['one two', KEYS.undo], '|'],
    ['takes back twenty at once', ['x'.repeat(30), KEYS.undo], `${'x'.repeat(20)}|`],
    ['takes back a cut, the cursor where it was', ['one two', chord('M-b'), chord('C-k'), KEYS.undo], 'one |two'],
    ['goes on step by step', ['one', chord('C-u'), chord('C-y'), KEYS.undo, KEYS.undo], 'one|'],
    ['Alt-R takes back all', ['one', chord('C-u'), 'two', chord('M-r')], '|'],
    ['brings back what Ctrl-C cleared', ['one', chord('C-c'), KEYS.undo], 'one|'],
  ]);

  it('remembers 200 steps', () => {
    const keyboard = new Keyboard();
    for (let step = 0; step < 250; step += 1) keyboard.editor.paste('x');
    let undone = 0;
    while (keyboard.press(KEYS.undo).kind === 'redraw') undone += 1;
    assert.deepEqual([undone, keyboard.shown], [200, `${'x'.repeat(50)}|`]);
  });

  it('does not bring back what was sent', () => {
    const keyboard = new Keyboard();
    keyboard.press('one', KEYS.enter);
    assert.deepEqual([keyboard.press(KEYS.undo), keyboard.shown], [{ kind: 'none' }, '|']);
  });
});

describe('the ends of a line', () => {
  it('Enter gives the line and empties it, wherever the cursor is', () => {
    const keyboard = new Keyboard();
    assert.deepEqual(keyboard.press('hello', KEYS.home, KEYS.enter), { kind: 'line', text: 'hello' });
    assert.equal(keyboard.shown, '|');
  });

  it('Ctrl-C tells what was typed and empties the line', () => {
    const keyboard = new Keyboard();
    assert.deepEqual(keyboard.press('half', chord('C-c')), { kind: 'interrupt', typed: 'half' });
    assert.equal(keyboard.shown, '|');
  });

  it('Ctrl-D on an empty line is the end', () => {
    assert.deepEqual(new Keyboard().press(chord('C-d')), { kind: 'end' });
  });

  it('Ctrl-D behind text is not', () => {
    assert.deepEqual(new Keyboard().press('a', chord('C-d')), { kind: 'none' });
  });

  it('Ctrl-L asks for a clear window', () => {
    assert.deepEqual(new Keyboard().press(chord('C-l')), { kind: 'clear' });
  });

  it('a message that is too long stays, and says what to do', () => {
    const keyboard = new Keyboard();
    keyboard.editor.paste('ä'.repeat(8193));
    const action = keyboard.press(KEYS.enter);
    assert.ok(action.kind === 'refused' && /16\.4 kB.*SEND_FILE/u.test(action.message), JSON.stringify(action));
    assert.equal(keyboard.editor.view().text.length, 8193);
    keyboard.press(KEYS.backspace);
    assert.equal(keyboard.press(KEYS.enter).kind, 'line');
  });
});

describe('the hint', () => {
  const hintFor = (line: string) => (line === 'SEND_FILE ' ? '<path>' : '');

  it('stands behind the line', () => {
    const keyboard = new Keyboard({ hintFor });
    keyboard.press('SEND_FILE ');
    assert.equal(keyboard.editor.view().hint, '<path>');
  });

  it('is not shown while the cursor is inside the line', () => {
    const keyboard = new Keyboard({ hintFor });
    keyboard.press('SEND_FILE ', KEYS.left);
    assert.equal(keyboard.editor.view().hint, '');
  });
});

describe('a paste', () => {
  it('of several lines stays on the line, visibly, and sends nothing', () => {
    const keyboard = new Keyboard();
    assert.deepEqual(keyboard.editor.paste('/quit\r\nsecond\rthird'), { kind: 'redraw' });
    assert.equal(keyboard.shown, '/quit⏎second⏎third|');
    assert.deepEqual(keyboard.lines, []);
  });

  it('leaves as one message, line breaks and all', () => {
    const keyboard = new Keyboard();
    keyboard.press('see: ');
    keyboard.editor.paste('one\n\ttwo\n');
    assert.deepEqual(keyboard.press(KEYS.enter), { kind: 'line', text: 'see: one\n\ttwo' });
  });

  it('of one line with its line end is that line, not sent', () => {
    const keyboard = new Keyboard();
    keyboard.editor.paste('LIST_FILES\n');
    assert.deepEqual(keyboard.press(KEYS.enter), { kind: 'line', text: 'LIST_FILES' });
  });

  it('of several lines is a message whatever it begins with; of one line it is what it is', () => {
    assert.deepEqual(parseTyped('CLOSE_SESSION\nx'), { command: 'SAY', text: 'CLOSE_SESSION\nx' });
    assert.deepEqual(parseTyped(' /quit\nx'), { command: 'SAY', text: ' /quit\nx' });
    assert.deepEqual(parseTyped('CLOSE_SESSION'), { command: 'CLOSE_SESSION' });
  });

  it('goes where the cursor is and is undone in one step', () => {
    const keyboard = new Keyboard();
    keyboard.press('ab', KEYS.left);
    keyboard.editor.paste('x\ny');
    assert.equal(keyboard.shown, 'ax⏎y|b');
    keyboard.press(KEYS.undo);
    assert.equal(keyboard.shown, 'a|b');
  });

  it('of something invisible leaves the cursor beside a whole emoji', () => {
    const keyboard = new Keyboard();
    keyboard.press('🏽', KEYS.home);
    keyboard.editor.paste('\u202e');
    assert.equal(keyboard.shown, '\\u202e🏽|');
  });

  it('shows escape sequences instead of obeying them', () => {
    const keyboard = new Keyboard();
    keyboard.editor.paste('\x1b[31mred\x9b0m');
    assert.equal(keyboard.shown, '\\x1b[31mred\\x9b0m|');
  });

  it('that no line can hold is left out, with what to do instead', () => {
    const keyboard = new Keyboard();
    keyboard.press('kept');
    const action = keyboard.editor.paste('x'.repeat(128 * 1024));
    assert.ok(action.kind === 'refused' && /131 kB.*SEND_FILE/u.test(action.message), JSON.stringify(action));
    assert.equal(keyboard.shown, 'kept|');
  });

  it('has no half characters', () => {
    const keyboard = new Keyboard();
    keyboard.editor.paste('a\ud800b');
    assert.deepEqual(keyboard.press(KEYS.enter), { kind: 'line', text: 'a\ufffdb' });
  });
});
