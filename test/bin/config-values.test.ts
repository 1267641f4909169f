/** What stands in config.json: read with its comments, refused by line and key where anything is wrong (HOSTILE 37). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readConfigFile } from '../../src/bin/config-file.js';
import { configValues } from '../../src/bin/config-values.js';
import { P2pError } from '../../src/protocol/errors.js';
import { terminalLimits } from '../../src/protocol/limits.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';

const values = (text: string) => configValues(CLIENT_PROGRAM, text, '/h/config.json', '/home/a');
const refusal = (text: string, message: RegExp) =>
  assert.throws(
    () => values(text),
    (error) => error instanceof P2pError && error.code === 'usage' && error.message.startsWith('/h/config.json: ') && message.test(error.message),
    text,
  );

describe('the configuration file', () => {
  it('holds options by their long names, with comments and trailing commas', () => {
    const text = `{
      // where
      "host": "chat.example.org", "port": 9091,
      /* who */ "accept": "all", "accept-from": ["alice", "bob"], "max-file": "2G", "limit-rate": 1000000,
      "stay": true, "exec": ["GET_CLIENT_LIST"],
    }`;
    assert.deepEqual(values(text), {
      host: 'chat.example.org',
      port: '9091',
      accept: 'all',
      acceptFrom: 'alice,bob',
      maxFile: '2G',
      limitRate: '1000000',
      stay: true,
      exec: ['GET_CLIENT_LIST'],
    });
  });

  it('takes every option but those that cannot be in it', () => {
    const known = (key: string) => {
      try {
        values(`{ "${key}": null }`);
      } catch (error) {
        return error instanceof P2pError && /takes/u.test(error.message);
      }
      return true;
    };
    const names = Object.keys(CLIENT_PROGRAM.options).map((key) => key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`));
    assert.deepEqual(names.filter((name) => !known(name)), ['new', 'home']);
  });

  it('finds paths from its own folder, and ~', () => {
    assert.deepEqual(values('{ "received": "in", "password-file": "~/pw" }'), { received: '/h/in', passwordFile: '/home/a/pw' });
    assert.deepEqual(values('{ "received": "-" }'), { received: '-' });
  });

  const wrong: [string, RegExp][] = [
    ['{ "acept": "all" }', /line 1: there is no option "acept"; perhaps "accept" is meant\. The README/u],
    ['{\n "acceptFrom": [] }', /line 2: .*perhaps "accept-from" is meant/u],
    ['{ "zzzzzz": 1 }', /there is no option "zzzzzz"\. The README/u],
    ['{ "__proto__": {} }', /there is no option "__proto__"/u],
    ['{ "constructor": 1 }', /there is no option "constructor"/u],
    ['{ "a\\u001b[2J": 1 }', /there is no option "a\\x1b\[2J"/u],
    ['{ "port": "9090" }', /"port" takes a number, without quotation marks/u],
    ['{ "host": 7 }', /"host" takes a text/u],
    ['{ "stay": "yes" }', /"stay" takes true or false/u],
    ['{ "accept": "some" }', /"accept" takes a text: "ask", "all", "none"/u],
    ['{ "accept-from": "alice" }', /"accept-from" takes a list of names: \["alice", "bob"\]/u],
    ['{ "exec": [1] }', /"exec" takes a list of commands/u],
    ['{ "max-file": [1] }', /"max-file" takes a size as a text such as "10M", or a number/u],
    ['{ "user": "a", "user": "b" }', /"user" stands there twice/u],
    ['{ "password": "x" }', /passwords do not belong into this file .*password-file/u],
    ['{ "pasword": "x" }', /passwords do not belong into this file/u],
    ['{ "home": "/x" }', /"home" cannot be set in it/u],
    ['{ "new": true }', /"new" is said once/u],
    ['[]', /must be one object/u],
    ['', /line 1 is not JSON/u],
    ['{\n\n "user" "a" }', /line 3 is not JSON \(colon expected\)/u],
    ['{ "user": "a" } x', /line 1 is not JSON/u],
    ['{'.repeat(1000), /is not JSON/u],
  ];
  it('refuses brackets in brackets without end', () => {
    for (const text of ['['.repeat(60_000), `{"user": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`]) refusal(text, /nested too deep/u);
  });

  for (const [text, message] of wrong) it(`refuses ${text.slice(0, 40).replaceAll('\n', ' ')}`, () => refusal(text, message));
});

describe('the file itself', () => {
  async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-config-'));
    try {
      await test(join(folder, 'config.json'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const usage = (message: RegExp) => (error: unknown) => error instanceof P2pError && error.code === 'usage' && message.test(error.message);

  it('may be missing', () => inFolder(async (path) => assert.equal(await readConfigFile(CLIENT_PROGRAM, path), undefined)));

  it('that others may write is warned about', () =>
    inFolder(async (path) => {
      await writeFile(path, '{}', { mode: 0o600 });
      assert.deepEqual((await readConfigFile(CLIENT_PROGRAM, path))?.warnings, []);
      await chmod(path, 0o620);
      assert.match((await readConfigFile(CLIENT_PROGRAM, path))?.warnings[0] ?? '', /Other users of this machine can change .*config\.json; chmod go-w/u);
    }));

  it('is refused where it is no file, no UTF-8 or is absurdly long', () =>
    inFolder(async (path) => {
      await assert.rejects(readConfigFile(CLIENT_PROGRAM, join(path, '..')), usage(/it is no regular file/u));
      assert.equal(spawnSync('mkfifo', [`${path}.pipe`]).status, 0);
      await assert.rejects(readConfigFile(CLIENT_PROGRAM, `${path}.pipe`), usage(/it is no regular file/u));
      await writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]));
      await assert.rejects(readConfigFile(CLIENT_PROGRAM, path), usage(/it is not UTF-8/u));
      await writeFile(path, ' '.repeat(terminalLimits.configFileBytes + 1));
      await assert.rejects(readConfigFile(CLIENT_PROGRAM, path), usage(/bytes; \d+ are enough/u));
    }));
});
