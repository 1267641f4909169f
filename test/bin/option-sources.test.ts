/** Flag before environment before file before what was remembered, and what belongs together stays together. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { environmentSource, flagSource, mergeOptions } from '../../src/bin/option-sources.js';
import type { OptionSource } from '../../src/bin/option-sources.js';
import { P2pError } from '../../src/protocol/errors.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';

const flags = (values: Record<string, unknown>): OptionSource => flagSource(CLIENT_PROGRAM, values);
const env = (variables: Record<string, string>): OptionSource => environmentSource(CLIENT_PROGRAM, variables);
const file = (values: Record<string, unknown>): OptionSource => ({ values, called: (key) => `"${key}" in the file` });
const merged = (...sources: OptionSource[]) => mergeOptions(CLIENT_PROGRAM, sources).values;

describe('several sources of options', () => {
  it('count in the order flag, environment, file', () => {
    const sources = [flags({ accept: 'none' }), env({ P2P_ACCEPT: 'all', P2P_SESSIONS: 'ask' }), file({ accept: 'ask', sessions: 'auto', user: 'alice' })];
    assert.deepEqual(merged(...sources), { accept: 'none', sessions: 'ask', user: 'alice' });
  });

  it('say how each option was given', () => {
    const { names } = mergeOptions(CLIENT_PROGRAM, [flags({ host: 'a', acceptFrom: 'b' }), env({ P2P_LISTEN_PORT: '1' }), file({ user: 'alice' })]);
    assert.deepEqual(names, { host: 'HOST', acceptFrom: '--accept-from', listenPort: 'P2P_LISTEN_PORT', user: '"user" in the file' });
  });

  it('do not lend the port and the pin of one server to another', () => {
    assert.deepEqual(merged(flags({ host: 'a' }), file({ host: 'b', port: '7', pin: 'P' })), { host: 'a' });
    assert.deepEqual(merged(flags({ host: 'b' }), file({ host: 'b', port: '7', pin: 'P' })), { host: 'b', port: '7', pin: 'P' });
    assert.deepEqual(merged(flags({ host: 'a' }), file({ port: '7' })), { host: 'a', port: '7' });
    assert.deepEqual(merged(env({ P2P_PORT: '8' }), file({ host: 'b', port: '7' })), { host: 'b', port: '8' });
  });

  it('do not narrow by the file what a flag has chosen otherwise', () => {
    const config = file({ accept: 'all', acceptFrom: 'alice', maxFile: '2G' });
    assert.deepEqual(merged(flags({ accept: 'ask' }), config), { accept: 'ask' });
    assert.deepEqual(merged(flags({ accept: 'all' }), config), { accept: 'all', acceptFrom: 'alice', maxFile: '2G' });
  });

  it('can turn off what a weaker one turned on', () => {
    assert.deepEqual(merged(flags({ stay: false }), env({ P2P_STAY: '1' })), { stay: false });
    assert.deepEqual(merged(env({ P2P_JSON: 'no' }), file({ json: true })), { json: false });
  });
});

describe('the environment', () => {
  it('holds commands line by line', () => assert.deepEqual(merged(env({ P2P_EXEC: 'GET_CLIENT_LIST\n\nDISCONNECT_CLIENT\n' })), { exec: ['GET_CLIENT_LIST', 'DISCONNECT_CLIENT'] }));

  it('counts an empty variable as none', () => assert.deepEqual(merged(env({ P2P_USER: '' }), file({ user: 'alice' })), { user: 'alice' }));

  it('cannot ask for a new account', () => assert.deepEqual(merged(env({ P2P_NEW: '1' })), {}));

  it('is refused where a switch is neither on nor off, by its name', () => {
    assert.throws(() => env({ P2P_STAY: 'maybe\x1b[2J' }), (error) => error instanceof P2pError && error.code === 'usage' && /^P2P_STAY takes 1 or 0\. "maybe\\x1b\[2J"/u.test(error.message));
  });
});
