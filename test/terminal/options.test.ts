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
      logChat: undefined,
      password: undefined,
      face: 'terminal',
      stdinIsTTY: true,
      mayAsk: true,
      exec: [],
      stay: false,
      oneToStdout: false,
      timestamps: true,
      attention: 'notify',
    });
  });

  it('take the port that a server has without being told', () => assert.equal(parseOptions({ host: 'localhost' }, surroundings).engine.port, 9090));

  it('are called as they were given', () => {
    const names = { accept: 'P2P_ACCEPT', maxFile: '"max-file" in /h/config.json' };
    assert.throws(() => parseOptions({ ...given, accept: 'some' }, surroundings, names), /^P2pError: P2P_ACCEPT takes ask, all or none/u);
    assert.throws(() => parseOptions({ ...given, maxFile: '2G' }, surroundings, names), /^P2pError: "max-file" in \/h\/config.json narrows/u);
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

  it('narrow --accept all to people and to a size', () => {
    const { engine } = parseOptions({ ...given, accept: 'all', acceptFrom: 'Alice, bob', maxFile: '2G' }, surroundings);
    assert.deepEqual([engine.acceptFrom, engine.maxFile], [['alice', 'bob'], 2_000_000_000]);
  });

  it('leave what is not accepted to the person, where there is one', () => {
    const otherwise = (raw: RawOptions) => parseOptions({ ...given, ...raw }, surroundings).engine.acceptOtherwise;
    assert.deepEqual([otherwise({}), otherwise({ exec: ['#HELP'] }), otherwise({ json: true })], ['ask', 'none', 'none']);
  });

  it('take the folder for received files relative to where the program runs', () => {
    assert.equal(parseOptions({ ...given, received: 'in' }, surroundings).engine.received, '/work/in');
    assert.equal(parseOptions({ ...given, home: '/h' }, surroundings).engine.received, '/h/received');
  });

  it('take the folder for logs relative to where the program runs', () => assert.equal(parseOptions({ ...given, logChat: 'logs' }, surroundings).logChat, '/work/logs'));

  it('take a rate limit', () => assert.equal(parseOptions({ ...given, limitRate: '10M' }, surroundings).engine.limitRate, 10_000_000));

  it('send one file to stdout, as a script even at a keyboard', () => {
    const options = parseOptions({ ...given, accept: 'all', received: '-' }, { ...surroundings, stdoutIsTTY: false });
    assert.deepEqual([options.engine.received, options.oneToStdout, options.face, options.mayAsk], ['-', true, 'script', true]);
  });

  it('refuse to write a file to a terminal, and name the ways out', () => {
    assert.throws(() => parseOptions({ ...given, accept: 'all', received: '-' }, surroundings), /--received - writes the file to stdout, and that is a terminal\. Add > FILE/u);
  });

  const absurd: [string, RawOptions, RegExp][] = [
    ['no host', { host: undefined }, /^Which server\? p2p-client HOST PORT/u],
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
    ['a rate that is none', { limitRate: '10 apples' }, /^--limit-rate takes bytes a second, such as 500K.*"10 apples"/u],
    ['a rate of nothing', { limitRate: '0' }, /^--limit-rate/u],
    ['people without --accept all', { acceptFrom: 'bob' }, /^--accept-from narrows.*needs --accept all/u],
    ['people with --accept none', { accept: 'none', acceptFrom: 'bob' }, /^--accept-from narrows/u],
    ['a size without --accept all', { maxFile: '1G' }, /^--max-file narrows.*needs --accept all/u],
    ['people who cannot exist', { accept: 'all', acceptFrom: 'bob,,x' }, /^--accept-from takes user names/u],
    ['nobody', { accept: 'all', acceptFrom: '' }, /^--accept-from/u],
    ['a size that is none', { accept: 'all', maxFile: 'big' }, /^--max-file takes a size/u],
    ['an empty folder', { received: '' }, /^--received/u],
    ['stdout for files that must be asked for', { received: '-' }, /^--received - takes one file without asking, so it needs --accept all/u],
    ['stdout for a file and for JSON', { received: '-', accept: 'all', json: true }, /^--received - needs stdout for the file, and so does --json/u],
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
