/** Times in front of lines, and the line between two days. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Line } from '../../src/terminal/layout.js';
import { rowsOf } from '../../src/terminal/layout.js';
import { notice, result } from '../../src/terminal/phrases.js';
import { Stamps } from '../../src/terminal/stamps.js';

const message: Line = { kind: 'message', prefix: 'bob> ', again: 'bob> ', text: 'one two three four' };
const texts = (lines: readonly Line[]) => lines.map(({ prefix, text }) => prefix + text);

describe('time stamps', () => {
  it('are local hours and minutes in front of messages and notices, not of answers', () => {
    const stamps = new Stamps(() => new Date(2026, 10, 22, 9, 5));
    assert.deepEqual(texts(stamps.stamped([message, notice('x'), result('CLIENT_LIST<a>')], 80)), ['09:05 bob> one two three four', '09:05 -- x', 'CLIENT_LIST<a>']);
  });
  it('leave every further row its speaker, below the first (HOSTILE 22)', () => {
    const [line = message] = new Stamps(() => new Date(2026, 10, 22, 9, 5)).stamped([message], 60);
    assert.deepEqual(rowsOf(line, 24).map(({ prefix, text }) => prefix + text), ['09:05 bob> one two', '      bob> three four']);
  });
  it('are left out in a narrow window', () => assert.deepEqual(texts(new Stamps(() => new Date(2026, 10, 22, 9, 5)).stamped([message], 49)), ['bob> one two three four']));
  it('say when the day has changed, once, before the first line of the day', () => {
    let date = new Date(2026, 10, 22, 23, 59);
    const stamps = new Stamps(() => date);
    assert.equal(stamps.stamped([message], 80).length, 1);
    date = new Date(2026, 10, 23, 0, 1);
    assert.deepEqual(stamps.stamped([], 80), []);
    assert.deepEqual(texts(stamps.stamped([message], 80)), ['-- Monday 23 November 2026', '00:01 bob> one two three four']);
    assert.equal(stamps.stamped([message], 80).length, 1);
  });
});
