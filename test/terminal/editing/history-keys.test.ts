/** Lines of earlier: going through them, searching them, taking words of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chord, Keyboard, KEYS } from './keyboard.js';

const HISTORY = ['SEND_FILE ~/a.txt', 'hello Bob', 'GET_CLIENT_INFO bob', 'how are you?'];

function withHistory(...keys: string[]): Keyboard {
  const keyboard = new Keyboard({ history: HISTORY });
  keyboard.press(...keys);
  return keyboard;
}

describe('going through the history', () => {
  const rows: [name: string, keys: string[], shown: string][] = [
    ['Up shows the newest line first', [KEYS.up], 'how are you?|'],
    ['Ctrl-P goes on to older ones', [chord('C-p'), chord('C-p')], 'GET_CLIENT_INFO bob|'],
    ['Down comes back to what was being typed', ['new', KEYS.up, KEYS.up, KEYS.down, chord('C-n')], 'new|'],
    ['the oldest line is the end', [...Array.from({ length: 9 }, () => KEYS.up)], 'SEND_FILE ~/a.txt|'],
    ['Alt-< and Alt-> go to both ends', ['new', chord('M-<'), 'x', chord('M->')], 'new|'],
    ['a line that was changed keeps its change on the way', [KEYS.up, '!', KEYS.up, KEYS.down], 'how are you?!|'],
    ['undo goes back to the line before', ['new', KEYS.up, KEYS.undo, KEYS.up], 'how are you?|'],
    ['Alt-. takes the last word of the line before', ['to ', chord('M-.')], 'to you?|'],
    ['Alt-. again takes that of older lines', ['to ', chord('M-.'), chord('M-.')], 'to bob|'],
  ];
  for (const [name, keys, shown] of rows) it(name, () => assert.equal(withHistory(...keys).shown, shown));

  it('a line that is sent again becomes the newest; changes to others are forgotten', () => {
    const keyboard = withHistory(KEYS.up, 'x', KEYS.up, KEYS.enter);
    assert.deepEqual(keyboard.lines, ['GET_CLIENT_INFO bob']);
    keyboard.press(KEYS.up, KEYS.up);
    assert.equal(keyboard.shown, 'how are you?|');
  });

  it('nothing but spaces is not remembered', () => {
    assert.deepEqual(withHistory('  ', KEYS.enter).history, HISTORY);
  });

  it('lines that arrive from the file meanwhile stand in front', () => {
    const keyboard = new Keyboard();
    keyboard.press('own', KEYS.enter, KEYS.up);
    keyboard.history.unshift('from the file');
    keyboard.press(KEYS.up);
    assert.equal(keyboard.shown, 'from the file|');
  });
});

describe('searching', () => {
  it('Ctrl-R shows the newest line that has what is typed, the cursor at it', () => {
    const keyboard = withHistory(chord('C-r'), 'bo');
    assert.deepEqual(keyboard.editor.view(), { prompt: '(search) "bo": ', text: 'GET_CLIENT_INFO bob', cursor: 16, hint: '' });
  });

  it('Ctrl-R again goes to older lines, Ctrl-S back to newer', () => {
    const keyboard = withHistory(chord('C-r'), 'bo', chord('C-r'));
    assert.equal(keyboard.shown, 'hello |Bob');
    keyboard.press(chord('C-s'));
    assert.deepEqual([keyboard.shown, keyboard.editor.view().prompt], ['GET_CLIENT_INFO |bob', '(search forward) "bo": ']);
  });

  it('the same line is found once', () => {
    const keyboard = new Keyboard({ history: ['x one', 'x two', 'other', 'x two'] });
    keyboard.press(chord('C-r'), 'x', chord('C-r'));
    assert.equal(keyboard.shown, '|x one');
  });

  it('a capital letter makes it exact', () => {
    assert.equal(withHistory(chord('C-r'), 'Bo').shown, 'hello |Bob');
  });

  it('says when nothing is found, and keeps what was', () => {
    const keyboard = withHistory(chord('C-r'), 'bobx');
    assert.equal(keyboard.editor.view().prompt, '(nothing found for) "bobx": ');
    assert.match(keyboard.shown, /GET_CLIENT_INFO/u);
    keyboard.press(KEYS.backspace);
    assert.equal(keyboard.editor.view().prompt, '(search) "bob": ');
  });

  it('Backspace goes back to what fewer letters had found', () => {
    assert.equal(withHistory(chord('C-r'), 'he', 'l', KEYS.backspace).shown, '|hello Bob');
  });

  it('Enter sends what was found', () => {
    assert.deepEqual(withHistory(chord('C-r'), 'hello', KEYS.enter).lines, ['hello Bob']);
  });

  it('Escape leaves it on the line', () => {
    const keyboard = withHistory(chord('C-r'), 'Bob');
    assert.deepEqual(keyboard.escape(), { kind: 'redraw' });
    assert.deepEqual([keyboard.shown, keyboard.editor.view().prompt], ['hello |Bob', undefined]);
  });

  it('any other key takes the line over and works on it', () => {
    assert.equal(withHistory(chord('C-r'), 'Bob', chord('C-k'), '?').shown, 'hello ?|');
  });

  it('Ctrl-G goes back to what was typed', () => {
    assert.equal(withHistory('half', chord('C-r'), 'Bob', chord('C-g')).shown, 'half|');
  });

  it('Ctrl-C ends search and line', () => {
    const keyboard = withHistory('half', chord('C-r'), 'Bob', chord('C-c'));
    assert.deepEqual([keyboard.shown, keyboard.editor.view().prompt], ['|', undefined]);
  });

  it('Ctrl-R twice searches for the same as last time', () => {
    assert.equal(withHistory(chord('C-r'), 'Bob', chord('C-g'), chord('C-r'), chord('C-r')).shown, 'hello |Bob');
  });

  it('Up goes on from the line that was found', () => {
    assert.equal(withHistory(chord('C-r'), 'Bob', KEYS.up).shown, 'SEND_FILE ~/a.txt|');
  });

  it('Down comes back to what was typed before', () => {
    assert.equal(withHistory('half', chord('C-r'), 'you', KEYS.down).shown, 'half|');
  });

  it('puts the cursor in front of a whole emoji of which a part is searched for', () => {
    const keyboard = new Keyboard({ history: ['to 🇩🇪'] });
    keyboard.press(chord('C-r'), '🇪');
    assert.equal(keyboard.shown, 'to |🇩🇪');
  });

  it('shows a query safely', () => {
    assert.equal(withHistory(chord('C-r'), 'a\u202eb').editor.view().prompt, '(nothing found for) "a\\u202eb": ');
  });
});
