/** The screen over a terminal that takes nothing for a while: what waits, and what is left out. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createPalette } from '../../src/terminal/colours.js';
import type { Line } from '../../src/terminal/layout.js';
import { Output } from '../../src/terminal/output.js';
import { PromptScreen } from '../../src/terminal/screen/prompt-screen.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';

/** A terminal of 80 by 24 that can be held. */
class Terminal extends Collector {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
}

const line = (text: string): Line => ({ kind: 'message', prefix: 'bob> ', again: 'bob> ', text });

describe('a terminal that takes nothing', () => {
  let terminal: Terminal;
  let stdin: PassThrough;
  let clock: ManualClock;
  let screen: PromptScreen;
  let lines: string[];
  beforeEach(async () => {
    [terminal, stdin, clock, lines] = [new Terminal(1), new PassThrough(), new ManualClock(), []];
    screen = new PromptScreen({ stdin, stdout: new Output(terminal), palette: createPalette(0), clock, rewrap: 'no', notifications: 'none', utf8: true });
    screen.setPrompt('> ');
    screen.start({ line: (text) => lines.push(text), interrupt: () => undefined, answerKey: () => false, end: () => undefined });
    await nextTurn();
  });
  afterEach(() => screen.close());

  const bar = (percent: number) => screen.setLive([{ kind: 'transfer', prefix: '', again: '', text: `bar ${percent}` }]);

  it('is not sent progress, and gets the latest of it when it takes something again', async () => {
    bar(0);
    await nextTurn();
    terminal.hold();
    void screen.print([line('fills it')]);
    await nextTurn();
    for (let percent = 1; percent <= 50; percent += 1) {
      bar(percent);
      clock.advance(100);
      await nextTurn();
    }
    terminal.release();
    await nextTurn();
    clock.advance(100);
    await nextTurn();
    assert.match(terminal.text, /bar 50/u);
    assert.doesNotMatch(terminal.text, /bar [1-4]/u);
  });

  it('holds back those who print', async () => {
    terminal.hold();
    void screen.print([line('fills it')]);
    await nextTurn();
    const full = screen.print([line('more')]);
    assert.ok(full instanceof Promise);
    terminal.release();
    await full;
  });

  it('still has every key', async () => {
    terminal.hold();
    void screen.print([line('fills it')]);
    await nextTurn();
    stdin.write('typed\r');
    await nextTurn();
    await nextTurn();
    assert.deepEqual(lines, ['typed']);
  });

  it('is told everything of one turn in one write', async () => {
    const before = terminal.text.length;
    for (let n = 0; n < 20; n += 1) void screen.print([line(`message ${n}`)]);
    screen.setPrompt('>> ');
    bar(1);
    await nextTurn();
    assert.equal(terminal.text.slice(before).split('\x1b[?2026h').length, 2);
  });
});
