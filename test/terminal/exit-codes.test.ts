/** Exit codes are an interface: which error ends the program with which number does not change unnoticed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT_CODES, ExitCode, exitCodeFor } from '../../src/terminal/exit-codes.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';
import { readmeTable } from '../helpers/readme.js';

describe('exit codes', () => {
  it('are these, each once', () => {
    assert.deepEqual(ExitCode, { fine: 0, commandFailed: 1, usage: 2, cannotConnect: 3, notAuthenticated: 4, serverKeyChanged: 5 });
    assert.deepEqual(EXIT_CODES.map(([code]) => code), [0, 1, 2, 3, 4, 5]);
  });

  it('stand in README.md and in the help as they are', () => {
    assert.deepEqual(readmeTable('exit code').map(([code, means]) => [Number(code), means?.replaceAll('`', '')]), EXIT_CODES);
    assert.deepEqual(CLIENT_PROGRAM.exitCodes, EXIT_CODES);
  });

  const endings = {
    0: ['closed'],
    1: ['no-session', 'no-such-file', 'unknown-command', 'peer-key-changed', 'cancelled', 'disk-full', 'port-in-use'],
    2: ['usage', 'bad-argument', 'password-missing'],
    3: ['cannot-connect', 'link-lost', 'timed-out', 'shutting-down', 'server-error', 'unsupported-version'],
    4: ['not-authenticated', 'too-many-attempts', 'rate-limited', 'name-taken', 'bad-name', 'intercepted', 'displaced'],
    5: ['server-key-changed'],
  } as const;
  for (const [exit, codes] of Object.entries(endings)) {
    for (const code of codes) it(`${exit} when the program ends with ${code}`, () => assert.equal(exitCodeFor(code), Number(exit)));
  }
});
