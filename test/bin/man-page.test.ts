/** The manual pages: whole, made from the tables, and without a warning from those who set them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { manPage } from '../../src/bin/man-page.js';
import type { Manual } from '../../src/bin/man-page.js';
import { CLIENT_MANUAL, SERVER_MANUAL } from '../../src/bin/manuals.js';
import { flagOf, variableOf } from '../../src/protocol/option-shape.js';
import type { ProgramShape } from '../../src/protocol/option-shape.js';
import { SERVER_PROGRAM } from '../../src/server/option-table.js';
import { COMMANDS, COMMAND_NAMES } from '../../src/terminal/command-table.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';
import { findProgram, NotHere } from '../helpers/processes.js';

const pages: readonly (readonly [ProgramShape, Manual])[] = [
  [CLIENT_PROGRAM, CLIENT_MANUAL],
  [SERVER_PROGRAM, SERVER_MANUAL],
];

const EMPTY: Manual = { purpose: 'p', description: [], commandsIntroduction: '', commands: [], configuration: undefined, files: [], examples: [], seeAlso: ['x'] };

function setter(): { readonly command: readonly string[]; readonly skip: string | false } {
  for (const [name, args] of [['mandoc', ['-T', 'lint', '-W', 'warning']], ['groff', ['-man', '-Tutf8', '-wall', '-z']]] as const) {
    try {
      return { command: [findProgram(name), ...args], skip: false };
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
    }
  }
  return { command: [], skip: 'neither mandoc nor groff is installed' };
}

/** The page as a reader sees it: escapes undone, requests left out. */
function plain(page: string): string {
  return page.replace(/\\f[BIR]/gu, '').replaceAll('\\-', '-').replaceAll('\\e', '\\').replaceAll('\\(aq', "'").replaceAll('\\(ti', '~');
}

for (const [program, manual] of pages) {
  describe(`the manual page of ${program.name}`, () => {
    const page = manPage(program, manual, '1.2.3');

    it('has the sections that people look for', () => {
      const sections = [...page.matchAll(/^\.SH (?<name>.*)$/gmu)].map(({ groups }) => groups?.['name']);
      for (const wanted of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'ENVIRONMENT', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO']) assert.ok(sections.includes(wanted), wanted);
      assert.match(page, /^\.TH P2P\\-(?:CLIENT|SERVER) 1 "" "p2p\\-chat 1\.2\.3"/u);
    });

    it('has every option, its variable, and every exit code', () => {
      const text = plain(page);
      for (const [key, option] of Object.entries(program.options)) {
        if (option.positional !== true) assert.ok(text.includes(`\n${flagOf(key, option)}`), key);
        assert.ok(text.includes(`\n${variableOf(program, key) ?? flagOf(key, option)}`), key);
      }
      for (const [code] of program.exitCodes) assert.ok(text.includes(`\n${code}\n`), String(code));
    });

    it('is plain ASCII, whatever the words', () => assert.match(page, /^[\n -~]*$/u));

    it('is set without a warning', { skip: setter().skip }, () => {
      const [file = '', ...args] = setter().command;
      const { stdout, stderr, status } = spawnSync(file, args, { input: page, encoding: 'utf8' });
      assert.deepEqual([status, stdout, stderr], [0, '', '']);
    });
  });
}

describe('a manual page', () => {
  it('has every command of the client, with its short forms', () => {
    const text = plain(manPage(CLIENT_PROGRAM, CLIENT_MANUAL, '1'));
    for (const name of COMMAND_NAMES) assert.ok(text.includes(`\n${[`${name} ${COMMANDS[name].form}`.trimEnd(), ...COMMANDS[name].short].join(', ')}\n`), name);
  });

  it('takes no word for an instruction', () => {
    const page = manPage(SERVER_PROGRAM, { ...EMPTY, description: ['.SH FORGED', "'br", '\\fBx\\n(.g', 'a → b'] }, '1');
    assert.ok(page.includes('\n\\&.SH FORGED\n'));
    assert.ok(page.includes('\n\\(aqbr\n'));
    assert.ok(page.includes('\n\\efBx\\en(.g\n'));
    assert.ok(page.includes('\na \\[u2192] b\n'));
  });
});
