/** What the README says about options is what the programs say, and its example is one that they take. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helpText } from '../../src/bin/command-line.js';
import { configValues } from '../../src/bin/config-values.js';
import { mergeOptions } from '../../src/bin/option-sources.js';
import { CONFIG_EXAMPLE } from '../../src/bin/manuals.js';
import { SERVER_PROGRAM } from '../../src/server/option-table.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';
import { parseOptions } from '../../src/terminal/options.js';
import { readmeBlocks } from '../helpers/readme.js';

describe('the README', () => {
  for (const program of [CLIENT_PROGRAM, SERVER_PROGRAM]) {
    it(`shows the options of ${program.name} as --help does`, () => {
      const [options = ''] = helpText(program, '0').split('\nEvery option');
      const shown = readmeBlocks('text').filter((block) => block.startsWith(`Usage: ${program.name}`));
      assert.deepEqual(shown, [`${options.trimEnd()}\n`]);
    });
  }

  it('has the example of a configuration file that the manual has', () => assert.deepEqual(readmeBlocks('jsonc'), [`${CONFIG_EXAMPLE.join('\n')}\n`]));

  it('has an example that the client takes as it stands', () => {
    const values = configValues(CLIENT_PROGRAM, CONFIG_EXAMPLE.join('\n'), '/home/a/p2p-chat/config.json', '/home/a');
    const merged = mergeOptions(CLIENT_PROGRAM, [{ values, called: (key) => key }]).values;
    const options = parseOptions(merged, { env: {}, homeDirectory: '/home/a', workingDirectory: '/', stdinIsTTY: true, stdoutIsTTY: true, version: '0' });
    assert.deepEqual(
      [options.user, options.passwordFile, options.engine.host, options.engine.received, options.engine.acceptFrom, options.engine.maxFile, options.engine.listenPort],
      ['alice', '/home/a/.p2p-password', 'chat.example.org', '/home/a/Downloads', ['bob', 'carol'], 2_000_000_000, 50_000],
    );
  });
});
