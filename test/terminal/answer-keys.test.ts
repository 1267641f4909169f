/** Ctrl-Y and Ctrl-N: which offer they answer, and when they answer none. And what makes the live rows new. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import { createPalette } from '../../src/terminal/colours.js';
import type { Line } from '../../src/terminal/layout.js';
import { Output } from '../../src/terminal/output.js';
import type { Screen, ScreenInput } from '../../src/terminal/screen.js';
import { TerminalFace } from '../../src/terminal/terminal-face.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';
import { FakeClient } from './fake-client.js';

/** Keeps what is printed; keys are pressed by the test. */
class Keyboard implements Screen {
  readonly hasKeys: boolean;
  readonly hasLiveArea = false;
  readonly printed: string[] = [];
  looksAtLive = 0;
  input: ScreenInput | undefined;

  constructor(hasKeys = true) {
    this.hasKeys = hasKeys;
  }

  print(lines: readonly Line[]): undefined {
    this.printed.push(...lines.map(({ prefix, text }) => prefix + text));
  }

  start(input: ScreenInput): void {
    this.input = input;
  }

  setPrompt(): void {
    // Nobody looks at it.
  }

  setLive(): void {
    this.looksAtLive += 1;
  }

  bell(): void {
    // Nobody listens.
  }

  notify(): void {
    // As bell.
  }

  close(): void {
    // Nothing is open.
  }

  /** @returns Whether the key was an answer. */
  press(key: 'Ctrl-Y' | 'Ctrl-N'): boolean {
    assert.ok(this.input !== undefined);
    return this.input.answerKey(key === 'Ctrl-Y');
  }
}

function sitDown(keyboard = new Keyboard()): { client: FakeClient; keyboard: Keyboard } {
  const client = new FakeClient();
  const face = new TerminalFace({
    screen: keyboard,
    stdout: new Output(new Collector()),
    clock: new ManualClock(),
    homeDirectory: '/home/a',
    accept: 'ask',
    palette: createPalette(0),
    date: () => new Date(0),
    timestamps: false,
    attention: 'off',
  });
  client.onEvent((event) => face.show(event));
  void face.run(client, new AbortController().signal);
  return { client, keyboard };
}

describe('the answer keys', () => {
  it('answer the oldest offer first, each once', () => {
    const { client, keyboard } = sitDown();
    client.offer();
    client.offer();
    assert.deepEqual([keyboard.press('Ctrl-Y'), keyboard.press('Ctrl-N'), keyboard.press('Ctrl-Y')], [true, true, false]);
    assert.deepEqual(client.calls, ['acceptFile 1', 'rejectFile 2']);
  });

  it('never answer an offer that was not shown', () => {
    const { client, keyboard } = sitDown();
    client.transfers.push({ id: 9, peer: 'bob', direction: 'incoming', name: 'unseen', kind: 'file', size: 1, files: 1, bytes: 0, state: 'offered', rate: 0 });
    assert.equal(keyboard.press('Ctrl-Y'), false);
    assert.deepEqual(client.calls, []);
  });

  it('answer neither own offers nor those that policy has answered', () => {
    const { client, keyboard } = sitDown();
    client.offer({ direction: 'outgoing' });
    client.offer({ decision: 'accepted' });
    client.offer({ decision: 'refused' });
    assert.equal(keyboard.press('Ctrl-Y'), false);
  });

  it('say what they have answered, or why not', async () => {
    const { client, keyboard } = sitDown();
    client.offer({ name: 'x\x1b[2J' });
    keyboard.press('Ctrl-Y');
    await new Promise(setImmediate);
    assert.equal(keyboard.printed.at(-1), '-- Accepted number 1, "x\\x1b[2J" from bob.');
    client.before.set('rejectFile', () => {
      throw new P2pError('no-such-offer', 'No file is being offered to you.');
    });
    client.offer();
    keyboard.press('Ctrl-N');
    await new Promise(setImmediate);
    assert.equal(keyboard.printed.at(-1), '!! No file is being offered to you.');
  });

  it('are not spoken of where only whole lines are read', () => {
    const { client, keyboard } = sitDown(new Keyboard(false));
    client.offer();
    assert.match(keyboard.printed.at(-1) ?? '', /number 1\. ACCEPT_FILE 1 or REJECT_FILE 1\.$/u);
  });
});

describe('the live rows', () => {
  it('are made anew when a connection is back: to a program started anew a transfer is only offered', () => {
    const { client, keyboard } = sitDown();
    client.emit({ event: 'session-back', peer: 'bob', path: 'direct', address: '192.0.2.7:4000', restarted: true });
    assert.equal(keyboard.looksAtLive, 1);
  });
});
