/**
 * Arguments and surroundings → options; errors → exit codes (HOSTILE 37).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import type { ErrorCode } from '../../src/protocol/errors.js';
import { colourLevel } from '../../src/terminal/colours.js';
import { exitCodeFor } from '../../src/terminal/exit-codes.js';
import type { OptionSurroundings, RawOptions } from '../../src/terminal/options.js';
import { parseOptions } from '../../src/terminal/options.js';
import { FINGERPRINT } from './fake-client.js';

const surroundings: OptionSurroundings = { env: {}, homeDirectory: '/home/a', workingDirectory: '/work', stdinIsTTY: true, stdoutIsTTY: true, version: '1.2.3' };
const given: RawOptions = { host: 'localhost', port: '9090' };

describe('options', () => {
  it('have every field, with defaults', () => {
    assert.deepEqual(parseOptions(given, surroundings), {
      engine: {
        host: 'localhost',
        port: 9090,
        home: '/home/a/p2p-chat',
        accept: 'ask',
        acceptFrom: undefined,
        maxFile: undefined,
        acceptOtherwise: 'ask',
        received: '/home/a/p2p-chat/received',
        limitRate: undefined,
        sessions: 'auto',
        listenPort: 0,
        pin: undefined,
        agent: 'p2p-chat/1.2.3',
      },
      user: undefined,
      newUser: undefined,
      passwordFile: undefined,
      password: undefined,
      face: 'terminal',
      stdinIsTTY: true,
      mayAsk: true,
      exec: [],
      stay: false,
      oneToStdout: false,
    });
  });

  it('cannot be changed afterwards', () => {
    const options = parseOptions(given, surroundings);
    assert.ok(Object.isFrozen(options) && Object.isFrozen(options.engine) && Object.isFrozen(options.exec));
  });

  it('take the home from --home before P2P_HOME, relative to where the program runs', () => {
    const env = { P2P_HOME: '/from/env' };
    assert.equal(parseOptions(given, { ...surroundings, env }).engine.home, '/from/env');
    assert.equal(parseOptions({ ...given, home: 'mine' }, { ...surroundings, env }).engine.home, '/work/mine');
  });

  const faces: [string, RawOptions, boolean, 'terminal' | 'script' | 'json', boolean][] = [
    ['a terminal', {}, true, 'terminal', true],
    ['stdin that is no terminal', {}, false, 'script', false],
    ['--exec at a terminal may still ask for the password', { exec: ['#HELP'] }, true, 'script', true],
    ['--json', { json: true }, true, 'json', false],
  ];
  for (const [name, raw, stdinIsTTY, face, mayAsk] of faces) {
    it(`choose the face: ${name}`, () => {
      const options = parseOptions({ ...given, ...raw }, { ...surroundings, stdinIsTTY });
      assert.deepEqual([options.face, options.mayAsk], [face, mayAsk]);
    });
  }

  it('take an IPv6 address with or without brackets', () => {
    assert.equal(parseOptions({ ...given, host: '[::1]' }, surroundings).engine.host, '::1');
    assert.equal(parseOptions({ ...given, host: '::1' }, surroundings).engine.host, '::1');
  });

  const absurd: [string, RawOptions, RegExp][] = [
    ['no port', { port: undefined }, /^PORT takes/u],
    ['port 0', { port: '0' }, /^PORT takes a number from 1 to 65535\. "0"/u],
    ['port 65536', { port: '65536' }, /^PORT/u],
    ['port 9090x', { port: '9090x' }, /^PORT/u],
    ['port 1e3', { port: '1e3' }, /^PORT/u],
    ['a host with a control character', { host: 'a\x1b[2J' }, /^HOST takes.*a\\x1b\[2J/u],
    ['an empty host', { host: '' }, /^HOST/u],
    ['a very long host', { host: 'a'.repeat(254) }, /^HOST/u],
    ['an unknown policy', { accept: 'some' }, /^--accept takes ask, all or none/u],
    ['an unknown session policy', { sessions: 'no' }, /^--sessions/u],
    ['a privileged listen port', { listenPort: '80' }, /^--listen-port/u],
    ['a short pin', { pin: 'SHA256:abc' }, /^--pin/u],
    ['an impossible user', { user: 'два' }, /^--user/u],
    ['an empty home', { home: '' }, /^--home/u],
    ['an empty command', { exec: [''] }, /^--exec/u],
  ];
  for (const [name, raw, message] of absurd) {
    it(`refuse ${name}, naming the option`, () => {
      assert.throws(() => parseOptions({ ...given, ...raw }, surroundings), (error) => error instanceof P2pError && error.code === 'usage' && message.test(error.message));
    });
  }

  it('take a pin as the server prints it, padded or not', () => {
    assert.equal(parseOptions({ ...given, pin: `${FINGERPRINT}=` }, surroundings).engine.pin, FINGERPRINT);
  });
});

describe('exit codes', () => {
  const codes: [ErrorCode, number][] = [
    ['closed', 0],
    ['no-session', 1],
    ['hash-mismatch', 1],
    ['usage', 2],
    ['password-missing', 2],
    ['cannot-connect', 3],
    ['shutting-down', 3],
    ['not-authenticated', 4],
    ['too-many-attempts', 4],
    ['name-taken', 4],
    ['displaced', 4],
    ['intercepted', 4],
    ['server-key-changed', 5],
  ];
  for (const [code, exit] of codes) it(`${code} ends with ${exit}`, () => assert.equal(exitCodeFor(code), exit));
});

describe('colours', () => {
  const terminal = { isTTY: true, depth: 8, env: {} };
  const cases: [string, Parameters<typeof colourLevel>[0], number][] = [
    ['a terminal', terminal, 2],
    ['no terminal', { ...terminal, isTTY: false }, 0],
    ['TERM=dumb has one bit', { ...terminal, depth: 1 }, 0],
    ['NO_COLOR', { ...terminal, env: { NO_COLOR: '1' } }, 0],
    ['an empty NO_COLOR is none', { ...terminal, env: { NO_COLOR: '' } }, 2],
    ['FORCE_COLOR without a terminal', { ...terminal, isTTY: false, env: { FORCE_COLOR: '1' } }, 1],
    ['FORCE_COLOR goes before NO_COLOR', { ...terminal, env: { FORCE_COLOR: '3', NO_COLOR: '1' } }, 3],
    ['FORCE_COLOR=0', { ...terminal, env: { FORCE_COLOR: '0' } }, 0],
  ];
  for (const [name, surrounding, level] of cases) it(name, () => assert.equal(colourLevel(surrounding), level));
});
