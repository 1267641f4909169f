/** What README.md says to programs is so: its example lines, its table of events, its table of WAIT_FOR. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMAND_NAMES } from '../../src/terminal/command-table.js';
import { parseJsonLine } from '../../src/terminal/json-lines.js';
import { parseWait, WAIT_EVENT_NAMES } from '../../src/terminal/wait-for.js';
import { eventNames, inputFault, outputFault } from '../helpers/json-schema.js';
import { readmeBlocks, readmeTable } from '../helpers/readme.js';

const lines = readmeBlocks('jsonl').flatMap((block) => block.trim().split('\n'));
const output = lines.filter((line) => 'event' in (JSON.parse(line) as object));
const input = lines.filter((line) => !output.includes(line));

/** Names in backticks in the first cell of each row. */
function named(rows: readonly string[][]): string[] {
  return rows.flatMap(([first = '']) => Array.from(first.matchAll(/`([^`]+)`/gu), ([, name]) => name ?? ''));
}

describe('the lines of JSON in README.md', () => {
  for (const line of output) it(`${line.slice(0, 60)} is one that may come out`, () => assert.equal(outputFault(line), undefined));

  for (const line of input) {
    it(`${line} is one that may go in, and is understood`, () => {
      assert.equal(inputFault(line), undefined);
      assert.ok(parseJsonLine(line) !== undefined);
    });
  }

  it('show every event once', () => {
    assert.deepEqual(output.map((line) => (JSON.parse(line) as { event: string }).event).sort(), eventNames().sort());
  });

  it('show every command once, and a message', () => {
    const shown = input.map((line) => {
      const request = parseJsonLine(line);
      return request?.kind === 'command' ? request.command.command : 'say';
    });
    assert.deepEqual(shown.sort(), [...COMMAND_NAMES, 'say'].sort());
  });
});

describe('the tables in README.md', () => {
  it('name every event', () => assert.deepEqual(named(readmeTable('event')).filter((name) => eventNames().includes(name)).sort(), eventNames().sort()));

  it('name everything that can be waited for, as it is written', () => {
    const shown = named(readmeTable('`WAIT_FOR`')).map((one) => parseWait(one.replace(/<user>|\[user\]/u, 'bob')).event);
    assert.deepEqual(shown, WAIT_EVENT_NAMES);
  });
});
