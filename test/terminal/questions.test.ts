/**
 * The start-up questions at a real terminal: what is asked and shown, what is hidden, and that the prompt works afterwards.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { editedLine } from '../../src/terminal/questions.js';
import { ProgramTerminal } from '../helpers/terminal.js';
import { FaceInTerminal } from './face-in-terminal.js';

async function withQuestions(test: (face: FaceInTerminal) => Promise<void>, env: Record<string, string> = {}): Promise<void> {
  const face = await FaceInTerminal.start({ env });
  try {
    await test(face);
  } finally {
    await face.close();
  }
}

describe('start-up questions', () => {
  it('lead a returning user to the prompt, where typing works', () =>
    withQuestions(async ({ terminal }) => {
      await terminal.waitForText(/new or a returning user\? \[new\/returning\]$/u);
      terminal.enter('returning');
      await terminal.waitForText(/^Name:$/mu);
      terminal.enter('alice');
      await terminal.waitForText(/^Password:$/mu);
      terminal.enter('pässword');
      await terminal.waitForText(/You are alice[^]*server>$/u);
      assert.doesNotMatch(terminal.screen().join('\n'), /ssword\b(?!:)|p\*/u);
      terminal.enter('GET_CLIENT_LIST');
      await terminal.waitForText(/CLIENT_LIST<alice, bob>\nserver>$/u);
    }));

  it('make an account: a taken name is said at once, the password is asked twice', () =>
    withQuestions(async (face) => {
      const { terminal } = face;
      await terminal.waitForText(/\[new\/returning\]$/u);
      terminal.enter('x');
      await terminal.waitForText(/Type "new" to make an account[^]*\[new\/returning\]$/u);
      terminal.enter('n');
      await terminal.waitForText(/^Name:$/mu);
      terminal.enter('not a name');
      await terminal.waitForText(/^A name has 1 to 32[^]*\nName:$/mu);
      terminal.enter('taken');
      await terminal.waitForText(/^The name taken is taken\. Choose another\.\nTo log in, leave with Ctrl-C and start again as a returning user\.\nName:$/mu);
      terminal.enter('carol');
      await terminal.waitForText(/^New password:$/mu);
      terminal.enter('');
      await terminal.waitForText(/holds no password\.\nNew password:$/u);
      terminal.enter('one');
      await terminal.waitForText(/^The same once more:$/mu);
      terminal.enter('two');
      await terminal.waitForText(/^These were not the same\.\nNew password:$/mu);
      terminal.enter('one two');
      await terminal.waitUntil((screen) => screen.at(-1) === 'The same once more:', 'asked again');
      terminal.enter('one two');
      await terminal.waitForText(/Your account is made\. You are carol/u);
      await face.called('["register","carol","one two"]');
      assert.doesNotMatch(terminal.raw, /one two/u);
    }));

  it('allow a wrong password twice, then exit with 4', () =>
    withQuestions(async ({ terminal }) => {
      await terminal.waitForText(/^Password:$/mu);
      for (const wrong of [1, 2]) {
        terminal.enter('wrong');
        await terminal.waitUntil((screen) => screen.filter((row) => row === 'Password:').length === wrong + 1, 'asked again');
      }
      terminal.enter('wrong');
      await terminal.waitForText(/^!! Unknown name or wrong password\.$/mu);
      assert.equal((await terminal.exited).exitCode, 4);
    }, { TEST_USER: 'alice' }));

  it('edit a hidden password as any line', () =>
    withQuestions(async ({ terminal }) => {
      await terminal.waitForText(/^Password:$/mu);
      terminal.enter('rubbish\x15päX\x7fsswordö\x7f');
      await terminal.waitForText(/You are alice/u);
    }, { TEST_USER: 'alice' }));

  it('take an end of input as a wish to stop', () =>
    withQuestions(async ({ terminal }) => {
      await terminal.waitForText(/\[new\/returning\]$/u);
      terminal.type('\x04');
      await terminal.waitForText(/You did not log in/u);
      assert.equal((await terminal.exited).exitCode, 4);
    }));

  for (const at of ['name', 'password'] as const) {
    it(`end at once on Ctrl-C at the ${at}, and leave the terminal with its echo`, { skip: process.platform === 'win32' }, async () => {
      // Through a shell, which lives on in the same terminal.
      const face = await FaceInTerminal.start({ env: at === 'password' ? { TEST_USER: 'alice' } : {}, shell: true });
      try {
        await face.terminal.waitForText(at === 'password' ? /^Password:$/mu : /\[new\/returning\]$/u);
        face.terminal.type('\x03');
        await face.terminal.waitForText(/ended with 130\n[^]*-extproc/u);
        const settings = face.terminal.screen().join(' ');
        assert.match(settings, / echo /u);
        assert.match(settings, / icanon /u);
      } finally {
        await face.close();
      }
    });
  }
});

describe('keys read where echo cannot be turned off', () => {
  const cases: [string, string, string | undefined][] = [
    ['a line', 'abc\r', 'abc'],
    ['backspace', 'abx\x7fc\r', 'abc'],
    ['backspace over a character of several units', 'a😀\x7f\r', 'a'],
    ['backspace on nothing', '\x7f\x7fa\r', 'a'],
    ['Ctrl-U', 'abc\x15d\r', 'd'],
    ['Ctrl-C', 'abc\x03\r', undefined],
    ['Ctrl-D', '\x04\r', undefined],
    ['other keys are dropped', 'a\x01\x1bb\r', 'ab'],
    ['what follows the end of the line is not part of it', 'a\rb', 'a'],
  ];
  for (const [name, keys, line] of cases) it(name, () => assert.equal(editedLine(keys), line));
});

describe('questions inside tmux', () => {
  const hasTmux = spawnSync('tmux', ['-V']).status === 0;
  it('work the same', { skip: !hasTmux }, async () => {
    const socket = `p2p-chat-test-${process.pid}`;
    const face = await FaceInTerminal.start({ tmux: socket });
    try {
      await face.terminal.waitForText(/\[new\/returning\]/u);
      face.terminal.enter('r');
      await face.terminal.waitForText(/^Name:/mu);
      face.terminal.enter('alice');
      await face.terminal.waitForText(/^Password:/mu);
      face.terminal.enter('pässword');
      await face.terminal.waitForText(/^server>/mu);
      face.steer({ open: 'bob' });
      face.terminal.type('half');
      face.message('hello from bob');
      await face.terminal.waitForText(/^bob> hello from bob\nalice → bob> half/mu);
    } finally {
      await face.close();
      spawnSync('tmux', ['-L', socket, 'kill-server']);
    }
  });
});

// The helper itself is used by other tests, so what it promises is checked here once.
describe('the terminal of the tests', () => {
  it('fails a wait when the program ends without showing it', async () => {
    const terminal = new ProgramTerminal(process.execPath, ['-e', 'console.log("something else")']);
    await assert.rejects(terminal.waitForText(/never/u), /the program ended without it[^]*something else/u);
    await terminal.close();
  });
});
