/** What a person at a real terminal sees of several sessions, of being addressed, of delivery and of time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgramTerminalOptions } from '../helpers/terminal.js';
import { FaceInTerminal } from './face-in-terminal.js';

async function withFace(test: (face: FaceInTerminal) => Promise<void>, options: ProgramTerminalOptions = {}): Promise<void> {
  const face = await FaceInTerminal.startLoggedIn({ columns: 100, ...options });
  try {
    await test(face);
  } finally {
    await face.close();
  }
}

/** With bob and carol; bob is current. */
async function withTwo(face: FaceInTerminal): Promise<void> {
  face.steer({ open: 'bob' });
  face.steer({ open: 'carol' });
  await face.terminal.waitForText(/^-- carol opened a session[^]*^alice → bob>$/mu);
}

/** The terminal says that another window has the keys; a typed sign behind it shows that this was read. */
async function lookAway(face: FaceInTerminal): Promise<void> {
  await face.terminal.waitForText(/alice → bob>$/u);
  face.terminal.type('\x1b[Ox');
  await face.terminal.waitForText(/alice → bob> x$/u);
}

describe('several sessions', () => {
  it('mark what comes from elsewhere, count it in the prompt, and stop counting when it is chosen', () =>
    withFace(async (face) => {
      await withTwo(face);
      face.message('hello', 'carol');
      face.message('are you there?', 'carol');
      face.message('in view', 'bob');
      await face.terminal.waitForText(/^\[2\] carol> hello\n\[2\] carol> are you there\?\nbob> in view\n\[2 carol: 2\] alice → bob>$/mu);
      face.terminal.enter('/2');
      await face.terminal.waitForText(/^-- What you type now goes to carol\.\nalice → carol>$/mu);
      face.message('and me?', 'bob');
      await face.terminal.waitForText(/^\[1\] bob> and me\?\n\[1 bob: 1\] alice → carol>$/mu);
      face.terminal.enter('/1');
      await face.terminal.waitForText(/^-- What you type now goes to bob\.\nalice → bob>$/mu);
    }));

  it('are chosen with Alt and a digit, and what is typed stays', () =>
    withFace(async (face) => {
      await withTwo(face);
      face.terminal.type('half typed\x1b2');
      await face.terminal.waitForText(/^alice → carol> half typed$/mu);
      face.terminal.enter('');
      await face.called('["say","half typed"]');
      face.terminal.type('\x1b9');
      await face.terminal.waitForText(/^!! There is no session number 9/mu);
    }));

  it('have each line stand behind the prompt of whom it goes to, however fast they are typed', () =>
    withFace(async (face) => {
      await withTwo(face);
      face.terminal.type('to bob\r/2\rto carol\r/1\rto bob again\r');
      await face.called('["say","to bob again"]');
      await face.terminal.waitForText(/^alice → bob> to bob\nalice → bob> \/2\nalice → carol> to carol\nalice → carol> \/1\nalice → bob> to bob again$/mu);
    }));

  it('all hear what is said to all', () =>
    withFace(async (face) => {
      await withTwo(face);
      face.terminal.enter('SAY_ALL good night');
      await face.called('["say","good night","bob"]');
      await face.called('["say","good night","carol"]');
      await face.terminal.waitForText(/^-- bob, carol have got it\.$/mu);
    }));
});

describe('being addressed', () => {
  it('stands out, rings while nobody looks, and once for what comes together', () =>
    withFace(
      async (face) => {
        face.steer({ open: 'bob' });
        await lookAway(face);
        face.message('lunch, alice?');
        face.message('alice!');
        await face.terminal.waitForText(/^bob> alice!$/mu);
        assert.ok(face.terminal.raw.includes('lunch, \x1b[7malice\x1b[27m?'));
        assert.ok(face.terminal.raw.includes('\x1b]777;notify;bob;lunch, alice?\x07\x07'));
        assert.equal(face.terminal.raw.split('\x1b]777').length, 2);
      },
      { env: { FORCE_COLOR: '1', VTE_VERSION: '7600' } },
    ));

  it('is silent while somebody looks, and where that is wished', async () => {
    await withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.terminal.type('\x1b[I');
      face.message('alice!');
      await face.terminal.waitForText(/^bob> alice!$/mu);
      assert.ok(!face.terminal.raw.includes('\x07'));
    });
    await withFace(
      async (face) => {
        face.steer({ open: 'bob' });
        await lookAway(face);
        face.message('alice!');
        await face.terminal.waitForText(/^bob> alice!$/mu);
        assert.ok(!face.terminal.raw.includes('\x07'));
      },
      { env: { P2P_ATTENTION: 'off' } },
    );
  });

  it('rings with nothing that a message says (HOSTILE 20)', () =>
    withFace(
      async (face) => {
        face.steer({ open: 'bob' });
        await lookAway(face);
        face.message('alice \x1b]0;evil\x07;x\u202e');
        await face.terminal.waitForText(/^bob> alice \\x1b/mu);
        assert.ok(face.terminal.raw.includes('\x1b]777;notify;bob;alice \\x1b]0;evil\\x07;x\\u202e\x07\x07'));
        assert.ok(!face.terminal.raw.includes('\x1b]0;'));
      },
      { env: { VTE_VERSION: '7600' } },
    ));
});

describe('messages that do not arrive at once', () => {
  it('are counted in the prompt, and told of when they have arrived', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.steer({ emit: { event: 'session-lost', peer: 'bob', reason: 'cut' } });
      for (const number of [1, 2]) {
        face.steer({ emit: { event: 'message', peer: 'bob', direction: 'out', text: 'x', number } });
        face.steer({ emit: { event: 'message-state', peer: 'bob', number, state: 'waiting' } });
      }
      await face.terminal.waitForText(/^alice → bob \(2 not delivered\)>$/mu);
      face.steer({ emit: { event: 'session-back', peer: 'bob', path: 'direct', address: '192.0.2.7:4000', restarted: false } });
      for (const number of [1, 2]) face.steer({ emit: { event: 'message-state', peer: 'bob', number, state: 'delivered' } });
      await face.terminal.waitForText(/^-- The connection to bob is back.*\n-- bob has now got the 2 messages that waited\.\nalice → bob>$/mu);
    }));

  it('are counted when nobody confirms them for long', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.steer({ emit: { event: 'message', peer: 'bob', direction: 'out', text: 'x', number: 1 } });
      await face.terminal.waitForText(/^alice → bob \(1 not delivered\)>$/mu);
    }));
});

describe('leaving', () => {
  it('says with Ctrl-D that transfers would stop, and leaves with the second', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.steer({ transfer: { name: 'film.mkv', state: 'running' } });
      await face.terminal.waitForText(/film\.mkv/u);
      face.terminal.type('\x04');
      await face.terminal.waitForText(/^!! A transfer is under way and would stop; .*\n.*\n-- Ctrl-D once more leaves and closes all sessions\.$/mu);
      face.terminal.type('\x04');
      assert.equal((await face.terminal.exited).exitCode, 0);
    }));
});

describe('times', () => {
  it('stand in front of what happens, and of nothing that was asked for', () =>
    withFace(
      async (face) => {
        face.steer({ open: 'bob' });
        face.message('hi');
        await face.terminal.waitForText(/^\d\d:\d\d bob> hi$/mu);
        face.terminal.enter('GET_CLIENT_LIST');
        await face.terminal.waitForText(/^CLIENT_LIST<alice, bob>$/mu);
      },
      { env: { P2P_TIMESTAMPS: 'on' } },
    ));
});
