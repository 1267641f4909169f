/** Tab: common part first, list second; what comes late changes only the line it was asked for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Completion } from '../../../src/terminal/editing/editing-types.js';
import { Keyboard, KEYS, NOTHING } from './keyboard.js';

/** Names behind `@`. */
function among(...names: string[]): (line: string, cursor: number) => Completion {
  return (line, cursor) => {
    const typed = line.slice(0, cursor);
    const found = names.filter((one) => one.startsWith(typed));
    const [first = ''] = found;
    let common = first;
    while (!found.every((one) => one.startsWith(common))) common = common.slice(0, -1);
    return { from: 0, to: cursor, insert: common, candidates: found };
  };
}

/** A completion that is answered by the test. */
function asking(): { readonly complete: () => Promise<Completion>; readonly answers: ((found: Completion) => void)[] } {
  const answers: ((found: Completion) => void)[] = [];
  return { complete: () => new Promise((resolve) => answers.push(resolve)), answers };
}

const BOB: Completion = { from: 0, to: 1, insert: 'bob', candidates: ['bob'] };
const SEVERAL: Completion = { from: 0, to: 1, insert: 'b', candidates: ['bob', 'bert'] };

describe('Tab', () => {
  it('completes what is the only one', () => {
    const keyboard = new Keyboard({ complete: among('carol', 'bob') });
    assert.deepEqual(keyboard.press('b', KEYS.tab), { kind: 'redraw' });
    assert.equal(keyboard.shown, 'bob|');
  });

  it('adds what all have in common, and lists them when it is pressed again', () => {
    const keyboard = new Keyboard({ complete: among('report1', 'report2') });
    assert.deepEqual(keyboard.press('r', KEYS.tab), { kind: 'redraw' });
    assert.equal(keyboard.shown, 'report|');
    assert.deepEqual(keyboard.press(KEYS.tab), { kind: 'list', items: ['report1', 'report2'] });
  });

  it('lists only when it is pressed twice in a row', () => {
    const keyboard = new Keyboard({ complete: among('a1', 'a2') });
    assert.deepEqual(keyboard.press('a', KEYS.tab), { kind: 'none' });
    assert.deepEqual(keyboard.press(KEYS.left, KEYS.right, KEYS.tab), { kind: 'none' });
    assert.equal(keyboard.press(KEYS.tab).kind, 'list');
  });

  it('does nothing where nothing fits', () => {
    const keyboard = new Keyboard({ complete: () => NOTHING });
    assert.deepEqual(keyboard.press('x', KEYS.tab, KEYS.tab), { kind: 'none' });
    assert.equal(keyboard.shown, 'x|');
  });

  it('keeps what stands behind the cursor, and can put something there', () => {
    const keyboard = new Keyboard({ complete: () => ({ from: 1, to: 2, insert: 'bc/', after: '"', candidates: ['bc/'] }) });
    keyboard.press('abz', KEYS.left, KEYS.tab);
    assert.equal(keyboard.shown, 'abc/|"z');
  });

  it('is undone in one step', () => {
    const keyboard = new Keyboard({ complete: among('bob') });
    keyboard.press('b', KEYS.tab, KEYS.undo);
    assert.equal(keyboard.shown, 'b|');
  });
});

describe('a completion that takes a while', () => {
  it('changes the line when it comes', async () => {
    const { complete, answers } = asking();
    const keyboard = new Keyboard({ complete });
    assert.deepEqual(keyboard.press('b', KEYS.tab), { kind: 'none' });
    answers[0]?.(BOB);
    await new Promise(setImmediate);
    assert.deepEqual([keyboard.shown, keyboard.later], ['bob|', [{ kind: 'redraw' }]]);
  });

  it('is dropped when something was typed meanwhile', async () => {
    const { complete, answers } = asking();
    const keyboard = new Keyboard({ complete });
    keyboard.press('b', KEYS.tab, 'x');
    answers[0]?.(BOB);
    await new Promise(setImmediate);
    assert.deepEqual([keyboard.shown, keyboard.later], ['bx|', []]);
  });

  it('is dropped when the line was sent meanwhile', async () => {
    const { complete, answers } = asking();
    const keyboard = new Keyboard({ complete });
    keyboard.press('b', KEYS.tab, KEYS.enter);
    answers[0]?.(BOB);
    await new Promise(setImmediate);
    assert.equal(keyboard.shown, '|');
  });

  it('is asked for once, and lists when Tab was pressed twice', async () => {
    const { complete, answers } = asking();
    const keyboard = new Keyboard({ complete });
    keyboard.press('b', KEYS.tab, KEYS.tab);
    assert.equal(answers.length, 1);
    answers[0]?.(SEVERAL);
    await new Promise(setImmediate);
    assert.deepEqual(keyboard.later, [{ kind: 'list', items: ['bob', 'bert'] }]);
  });

  it('that fails is as if nothing fitted, and can be asked for again', async () => {
    let fails = true;
    const keyboard = new Keyboard({ complete: () => (fails ? Promise.reject(new Error('gone')) : BOB) });
    keyboard.press('b', KEYS.tab);
    await new Promise(setImmediate);
    fails = false;
    keyboard.press(KEYS.tab);
    assert.equal(keyboard.shown, 'bob|');
  });
});
