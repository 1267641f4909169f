/**
 * People come, go, are away and blocked at a real terminal: above what is being typed, and never in the way of it.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FaceInTerminal } from './face-in-terminal.js';

it('news of people stand above what is being typed, and commands about them say what they did', async () => {
  const face = await FaceInTerminal.startLoggedIn();
  try {
    const { terminal } = face;
    face.steer({ emit: { event: 'people', people: [{ user: 'bob', state: 'away', text: 'lunch' }] } });
    await terminal.waitForText(/Online of the people you know: bob \(away: "lunch"\)\.\nserver>$/u);
    terminal.type('half typed');
    await terminal.waitForText(/server> half typed$/u);
    face.steer({ emit: { event: 'presence', user: 'bob', state: 'online', before: 'away' } });
    face.steer({ emit: { event: 'presence', user: 'carol', state: 'offline', before: 'online' } });
    await terminal.waitForText(/bob is back\.\n[^\n]*carol is offline\.\nserver> half typed$/u);
    terminal.type('\x15');
    terminal.enter('AWAY tea "time"');
    await terminal.waitForText(/You are away: "tea 'time'"\. Everybody who is online can read it/u);
    terminal.enter('BLOCK mallory');
    await terminal.waitForText(/mallory is blocked, and cannot tell\.[^]*check the spelling/u);
    terminal.enter('/blocked');
    await terminal.waitForText(/^BLOCKED_LIST<mallory>$/mu);
    terminal.enter('GET_CLIENT_INFO mallory');
    const screen = await terminal.waitForText(/You have blocked mallory\. UNBLOCK mallory first\./u);
    assert.ok(!screen.join('\n').includes('Asking'), screen.join('\n'));
    terminal.enter('UNBLOCK mallory');
    await terminal.waitForText(/mallory is not blocked any more\./u);
  } finally {
    await face.close();
  }
});
