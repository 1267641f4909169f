/** Keys that come while a completion is looked for: they wait for it, in their order, and not for long. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { editingLimits } from '../../src/protocol/limits.js';
import { createPalette } from '../../src/terminal/colours.js';
import type { Completion } from '../../src/terminal/editing/editing-types.js';
import { LineEditor } from '../../src/terminal/editing/line-editor.js';
import { Output } from '../../src/terminal/output.js';
import { PromptScreen } from '../../src/terminal/screen/prompt-screen.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';

describe('keys behind Tab', () => {
  let stdin: PassThrough;
  let clock: ManualClock;
  let screen: PromptScreen;
  /** What the person did, as the screen tells it. */
  let done: string[];
  let asked: { readonly line: string; readonly answer: (found: Completion) => void; readonly fail: () => void }[];
  beforeEach(async () => {
    [stdin, clock, done, asked] = [new PassThrough(), new ManualClock(), [], []];
    screen = new PromptScreen({ stdin, stdout: new Output(new Collector()), palette: createPalette(0), clock, rewrap: 'no', notifications: 'none', utf8: true });
    screen.start({
      line: (text) => done.push(text),
      interrupt: (typed) => done.push(`^C ${typed}`),
      answerKey: () => false,
      sessionKey: (number) => done.push(`session ${number}`),
      end: () => undefined,
      createEditor: ({ later }) => {
        const complete = (line: string) => new Promise<Completion>((resolve, reject) => asked.push({ line, answer: resolve, fail: () => reject(new Error('gone')) }));
        return new LineEditor({ history: { entries: [], add: () => undefined }, complete, hintFor: () => '', later });
      },
    });
    await nextTurn();
  });
  afterEach(() => screen.close());

  async function press(keys: string): Promise<void> {
    stdin.write(keys);
    await nextTurn();
  }

  async function answer(index: number, insert: string): Promise<void> {
    asked[index]?.answer({ from: 0, to: asked[index].line.length, insert, candidates: [insert] });
    await nextTurn();
  }

  it('wait for the completion: Enter sends the completed line', async () => {
    await press('b\t\r');
    assert.deepEqual(done, []);
    await answer(0, 'bob');
    assert.deepEqual(done, ['bob']);
  });

  it('keep their order, with pastes and changes of the session among them', async () => {
    await press('b\t!\x1b2\x1b[200~ pasted\x1b[201~\rnext\r');
    assert.deepEqual(done, []);
    await answer(0, 'bob');
    assert.deepEqual(done, ['session 2', 'bob! pasted', 'next']);
  });

  it('wait again for a second Tab among them', async () => {
    await press('b\tc\t\r');
    clock.advance(editingLimits.completionWaitMs - 1);
    await answer(0, 'bob');
    assert.deepEqual(asked.map(({ line }) => line), ['b', 'bobc']);
    clock.advance(editingLimits.completionWaitMs - 1);
    assert.deepEqual(done, []);
    await answer(1, 'bobcat');
    assert.deepEqual(done, ['bobcat']);
  });

  it('go on where nothing completes, or the search for it fails', async () => {
    await press('b\t\r');
    asked[0]?.fail();
    await nextTurn();
    await press('c\t\r');
    asked[1]?.answer({ from: 0, to: 0, insert: '', candidates: [] });
    await nextTurn();
    assert.deepEqual(done, ['b', 'c']);
  });

  it('wait no longer than a moment, once for one Tab', async () => {
    await press('b\t\tx');
    clock.advance(editingLimits.completionWaitMs);
    await press('\r');
    assert.deepEqual(done, ['bx']);
  });

  it('are not kept without end', async () => {
    await press(`b\t${'x'.repeat(editingLimits.heldKeys + 1)}\r`);
    assert.deepEqual(done.map((line) => line.length), [editingLimits.heldKeys + 2]);
  });

  it('are forgotten at Ctrl-C, which does not wait, and so is the completion', async () => {
    await press('b\tx\r\x03');
    assert.deepEqual(done, ['^C b']);
    await press('b');
    await answer(0, 'bob');
    await press('\r');
    assert.deepEqual(done, ['^C b', 'b']);
  });
});
