/**
 * Typed lines and the commands that they mean.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { P2pError } from '../../src/protocol/errors.js';
import type { Command } from '../../src/terminal/commands.js';
import { COMMANDS, COMMAND_NAMES, COMMAND_WORDS } from '../../src/terminal/command-table.js';
import { parseCommand } from '../../src/terminal/commands.js';
import { HELP, HELP_TOPICS, helpText } from '../../src/terminal/help.js';
import { nearestWord } from '../../src/terminal/nearest-word.js';
import { expandHome } from '../../src/terminal/perform.js';
import { projectRoot } from '../protocol/specification.js';

const understood: [string, Command][] = [
  ['GET_CLIENT_LIST', { command: 'GET_CLIENT_LIST', prefix: '' }],
  ['get_client_list', { command: 'GET_CLIENT_LIST', prefix: '' }],
  ['GET_CLIENT_LIST bo', { command: 'GET_CLIENT_LIST', prefix: 'bo' }],
  ['GET_CLIENT_LIST<bo>', { command: 'GET_CLIENT_LIST', prefix: 'bo' }],
  ['/list', { command: 'GET_CLIENT_LIST', prefix: '' }],
  ['GET_CLIENT_INFO bob', { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ['GET_CLIENT_INFO<bob>', { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ['GET_CLIENT_INFO <bob>', { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ['GET_CLIENT_INFO "bob"', { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ["Get_Client_Info\t'bob'  ", { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ['/connect bob', { command: 'GET_CLIENT_INFO', user: 'bob' }],
  ['SEND_FILE a.txt', { command: 'SEND_FILE', path: 'a.txt' }],
  ['SEND_FILE a b.txt', { command: 'SEND_FILE', path: 'a b.txt' }],
  ['SEND_FILE "a b.txt"', { command: 'SEND_FILE', path: 'a b.txt' }],
  ["SEND_FILE 'a b.txt'", { command: 'SEND_FILE', path: 'a b.txt' }],
  ['SEND_FILE<a b.txt>', { command: 'SEND_FILE', path: 'a b.txt' }],
  ['SEND_FILE<"a b.txt">', { command: 'SEND_FILE', path: 'a b.txt' }],
  ['SEND_FILE a\\ b\\(1\\).txt', { command: 'SEND_FILE', path: 'a b(1).txt' }],
  ['SEND_FILE "say \\"hi\\" \\\\ x"', { command: 'SEND_FILE', path: 'say "hi" \\ x' }],
  ["SEND_FILE '/home/a/it'\\''s here.txt'", { command: 'SEND_FILE', path: "/home/a/it's here.txt" }],
  ["SEND_FILE bob's file.txt", { command: 'SEND_FILE', path: "bob's file.txt" }],
  ['SEND_FILE "unfinished', { command: 'SEND_FILE', path: '"unfinished' }],
  ['SEND_FILE C:\\docs\\a.txt', { command: 'SEND_FILE', path: 'C:\\docs\\a.txt' }],
  ['/send ~/a.txt', { command: 'SEND_FILE', path: '~/a.txt' }],
  ['SEND_FILE photos/', { command: 'SEND_FILE', path: 'photos/' }],
  ['SEND_FILE - dir.tar', { command: 'SEND_FILE', path: '-', name: 'dir.tar' }],
  ['SEND_FILE<-  "a b.tar">', { command: 'SEND_FILE', path: '-', name: 'a b.tar' }],
  ['/send - my notes.txt', { command: 'SEND_FILE', path: '-', name: 'my notes.txt' }],
  ['SEND_FILE "- x"', { command: 'SEND_FILE', path: '- x' }],
  ['SEND_FILE -x', { command: 'SEND_FILE', path: '-x' }],
  ['SEND_FILE ./-', { command: 'SEND_FILE', path: './-' }],
  ['ACCEPT_FILE', { command: 'ACCEPT_FILE', id: undefined }],
  ['ACCEPT_FILE 3', { command: 'ACCEPT_FILE', id: 3 }],
  ['accept_file<3>', { command: 'ACCEPT_FILE', id: 3 }],
  ['/accept #3', { command: 'ACCEPT_FILE', id: 3 }],
  ['REJECT_FILE 3', { command: 'REJECT_FILE', id: 3 }],
  ['/cancel', { command: 'CANCEL_FILE', id: undefined }],
  ['PAUSE_FILE', { command: 'PAUSE_FILE', id: undefined }],
  ['/pause 2', { command: 'PAUSE_FILE', id: 2 }],
  ['resume_file<2>', { command: 'RESUME_FILE', id: 2 }],
  ['/resume', { command: 'RESUME_FILE', id: undefined }],
  ['LIST_FILES', { command: 'LIST_FILES' }],
  ['/files', { command: 'LIST_FILES' }],
  ['LIMIT_RATE', { command: 'LIMIT_RATE', rate: undefined }],
  ['LIMIT_RATE 10M', { command: 'LIMIT_RATE', rate: 10_000_000 }],
  ['/limit 1.5 MiB/s', { command: 'LIMIT_RATE', rate: 1_572_864 }],
  ['LIMIT_RATE<OFF>', { command: 'LIMIT_RATE', rate: 'off' }],
  ['WHOIS bob', { command: 'WHOIS', user: 'bob' }],
  ['/whois<bob>', { command: 'WHOIS', user: 'bob' }],
  ['VERIFY bob', { command: 'VERIFY', user: 'bob', wish: 'show' }],
  ['VERIFY bob  YES', { command: 'VERIFY', user: 'bob', wish: 'yes' }],
  ['VERIFY<bob> no', { command: 'VERIFY', user: 'bob', wish: 'no' }],
  ['/verify bob no', { command: 'VERIFY', user: 'bob', wish: 'no' }],
  ['ACCEPT_KEY bob', { command: 'ACCEPT_KEY', user: 'bob', end: undefined }],
  ['accept_key bob a+/Zk3q1', { command: 'ACCEPT_KEY', user: 'bob', end: 'a+/Zk3q1' }],
  [`ACCEPT_KEY bob SHA256:${'A'.repeat(43)}`, { command: 'ACCEPT_KEY', user: 'bob', end: `SHA256:${'A'.repeat(43)}` }],
  ['ACCEPT_SESSION', { command: 'ACCEPT_SESSION', user: undefined }],
  ['REJECT_SESSION bob', { command: 'REJECT_SESSION', user: 'bob' }],
  ['/accept-session bob', { command: 'ACCEPT_SESSION', user: 'bob' }],
  ['SWITCH_SESSION bob', { command: 'SWITCH_SESSION', session: 'bob' }],
  ['SWITCH_SESSION 2', { command: 'SWITCH_SESSION', session: '2' }],
  ['SWITCH_SESSION #2', { command: 'SWITCH_SESSION', session: 2 }],
  ['SAY_ALL see you "later"', { command: 'SAY_ALL', text: 'see you "later"' }],
  ['/all hi', { command: 'SAY_ALL', text: 'hi' }],
  ['/2', { command: 'SWITCH_SESSION', session: 2 }],
  ['CLOSE_SESSION', { command: 'CLOSE_SESSION' }],
  ['/close', { command: 'CLOSE_SESSION' }],
  ['DISCONNECT_CLIENT ', { command: 'DISCONNECT_CLIENT' }],
  ['/quit', { command: 'DISCONNECT_CLIENT' }],
  ['#HELP', { command: '#HELP', topic: undefined }],
  ['#help', { command: '#HELP', topic: undefined }],
  ['/HELP', { command: '#HELP', topic: undefined }],
  ['#HELP SEND_FILE', { command: '#HELP', topic: 'SEND_FILE' }],
  ['#help<send>', { command: '#HELP', topic: 'SEND_FILE' }],
  ['/help /send', { command: '#HELP', topic: 'SEND_FILE' }],
  ['#HELP help', { command: '#HELP', topic: '#HELP' }],
  ['#HELP keys', { command: '#HELP', topic: 'KEYS' }],
];

const chat: [string, string][] = [
  ['hello', 'hello'],
  ['HELLO BOB', 'HELLO BOB'],
  ['#1 is best', '#1 is best'],
  ['help', 'help'],
  ['sendfile a', 'sendfile a'],
  ['GET_CLIENT_LISTS are nice'.toLowerCase(), 'get_client_lists are nice'],
  [' GET_CLIENT_LIST', 'GET_CLIENT_LIST'],
  ['  two spaces', ' two spaces'],
  ['//etc/passwd', '/etc/passwd'],
  [' /quit', '/quit'],
  ['<b>', '<b>'],
  ['', ''],
];

const refused: [string, string, RegExp][] = [
  ['/conect bob', 'unknown-command', /Did you mean \/connect\?.*begin the line with a space/u],
  ['SEND_FLIE a', 'unknown-command', /Did you mean SEND_FILE\?/u],
  ['SENDFILE a', 'unknown-command', /Did you mean SEND_FILE\?/u],
  ['GETCLIENTLIST', 'unknown-command', /Did you mean GET_CLIENT_LIST\?/u],
  ['GET_CLIENT_LISTS', 'unknown-command', /Did you mean GET_CLIENT_LIST\?/u],
  ['/xyzzyplugh', 'unknown-command', /#HELP lists all commands/u],
  ['/etc/passwd', 'unknown-command', /There is no command \/etc/u],
  ['MAX_VALUE is wrong', 'unknown-command', /There is no command MAX_VALUE/u],
  ['/\x1b[2J', 'unknown-command', /There is no command \/\\x1b\[2J/u],
  ['GET_CLIENT_INFO', 'bad-argument', /Whom\?/u],
  ['GET_CLIENT_INFO<>', 'bad-argument', /Whom\?/u],
  ['GET_CLIENT_INFO two names', 'bad-argument', /"two names" is not a user name/u],
  ['GET_CLIENT_INFO b\x1bob', 'bad-argument', /b\\x1bob/u],
  ['SEND_FILE', 'bad-argument', /Which file or folder\?/u],
  ['SEND_FILE ""', 'bad-argument', /Which file or folder\?/u],
  ['SEND_FILE -', 'bad-argument', /needs a name.*SEND_FILE - backup\.tar/u],
  ['SEND_FILE - ""', 'bad-argument', /needs a name/u],
  ['SEND_FILE - a/b', 'bad-argument', /"a\/b" is not a single file name/u],
  ['SEND_FILE - ..', 'bad-argument', /not a single file name/u],
  ['LIMIT_RATE fast', 'bad-argument', /bytes a second, such as 500K, 10M.*or off/u],
  ['LIMIT_RATE 10', 'bad-argument', /at least 1K/u],
  ['LIMIT_RATE -5M', 'bad-argument', /bytes a second/u],
  ['VERIFY', 'bad-argument', /Whom\?/u],
  ['VERIFY bob maybe', 'bad-argument', /then yes or no.*VERIFY bob yes/u],
  ['ACCEPT_KEY bob yes please', 'bad-argument', /last characters of the new key/u],
  ['WHOIS bob ben', 'bad-argument', /"bob ben" is not a user name/u],
  ['LIST_FILES all', 'bad-argument', /stands alone/u],
  ['PAUSE_FILE x', 'bad-argument', /number/u],
  ['ACCEPT_FILE x', 'bad-argument', /number/u],
  ['ACCEPT_FILE 0', 'bad-argument', /number/u],
  ['ACCEPT_FILE 99999999999999999999', 'bad-argument', /number/u],
  ['#HELP SEND_FLIE', 'bad-argument', /Did you mean #HELP SEND_FILE\?/u],
  ['#HELP \x1b[2J', 'bad-argument', /no command \\x1b\[2J\. #HELP alone lists/u],
  ['SAY_ALL', 'bad-argument', /What\? For example: SAY_ALL/u],
  ['CLOSE_SESSION now', 'bad-argument', /stands alone/u],
  ['GET_CLIENT_LIST a b', 'bad-argument', /beginning of a user name/u],
];

describe('a typed line', () => {
  for (const [line, command] of understood) it(`is a command: ${line}`, () => assert.deepEqual(parseCommand(line), command));
  for (const [line, text] of chat) it(`is chat: "${line}"`, () => assert.deepEqual(parseCommand(line), { command: 'SAY', text }));
  for (const [line, code, message] of refused) {
    it(`is an error with a next step: ${JSON.stringify(line)}`, () => {
      assert.throws(() => parseCommand(line), (error) => error instanceof P2pError && error.code === code && message.test(error.message));
    });
  }

  it('is always a command, chat, or an expected error, and no error holds a control character', () => {
    const word = fc.constantFrom(...Object.keys(COMMANDS), ...Object.values(COMMANDS).flatMap(({ short }) => short), 'FOO_BAR', '/x');
    const line = fc.tuple(fc.oneof(word, fc.constant('')), fc.constantFrom('', ' ', '<', ' "', " '"), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(line, (parts) => {
        try {
          parseCommand(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof P2pError);
          assert.doesNotMatch(error.message, /[\x00-\x1f\x7f-\x9f]/u);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('can say anything with a space in front', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.deepEqual(parseCommand(` ${text}`), { command: 'SAY', text })));
  });

  it('can name any path in single quotes without one', () => {
    const path = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !one.includes("'") && !one.includes('\0'));
    fc.assert(fc.property(path, (one) => assert.deepEqual(parseCommand(`SEND_FILE '${one}'`), { command: 'SEND_FILE', path: one })));
  });
});

describe('the nearest command', () => {
  it('is none for a word that is like no command', () => assert.equal(nearestWord('/abracadabra', COMMAND_WORDS), undefined));
  it('is found past exchanged letters', () => assert.equal(nearestWord('/lsit', COMMAND_WORDS), '/list'));
});

describe('#HELP', () => {
  it('fits a screen', () => {
    assert.ok(HELP.length <= 48);
    for (const line of HELP) assert.ok(line.length <= 80, line);
  });
  it('names every command', () => {
    for (const name of Object.keys(COMMANDS)) assert.ok(HELP.some((line) => line.includes(name)), name);
  });
  for (const topic of [...COMMAND_NAMES, ...HELP_TOPICS]) {
    it(`explains ${topic} within 80 characters a line`, () => {
      const text = helpText(topic);
      assert.ok(text.length >= 4);
      for (const line of text) assert.ok(line.length <= 80, line);
    });
  }
});

describe('the table of commands', () => {
  it('is in the README, with short forms', () => {
    const readme = readFileSync(join(projectRoot(), 'README.md'), 'utf8');
    const rows = readme.slice(readme.indexOf('## Commands'), readme.indexOf('## Files')).split('\n').filter((row) => row.startsWith('| `')).map((row) => row.replaceAll('\\|', '|'));
    for (const name of COMMAND_NAMES) {
      const row = rows.find((one) => one.includes(`\`${name}\``) || one.includes(`\`${name} `));
      assert.ok(row !== undefined, name);
      for (const word of COMMANDS[name].short.slice(0, 1)) assert.ok(row.includes(`\`${word}\``), `${name} ${word}`);
    }
  });
  it('has each word once', () => assert.equal(new Set(COMMAND_WORDS.map((word) => word.toUpperCase())).size, COMMAND_WORDS.length));
  for (const name of COMMAND_NAMES) {
    const { examples, form, argument } = COMMANDS[name];
    it(`gives examples that are understood: ${name}`, () => {
      assert.ok(examples.length > 0);
      for (const example of examples) assert.equal(parseCommand(example).command, name);
    });
    it(`says how the argument is written: ${name}`, () => {
      assert.equal(form === '', argument === 'none');
      if (argument === 'none') assert.throws(() => parseCommand(`${name} x`), { code: 'bad-argument' });
      if (form.startsWith('<')) assert.throws(() => parseCommand(name), { code: 'bad-argument' });
      if (form.startsWith('[')) parseCommand(name);
    });
  }
});

describe('~ in a path', () => {
  it('is the home directory, alone or before a separator', () => {
    assert.equal(expandHome('~', '/home/a'), '/home/a');
    assert.equal(expandHome('~/x y', '/home/a'), '/home/a/x y');
    assert.equal(expandHome('~bob/x', '/home/a'), '~bob/x');
    assert.equal(expandHome('a~', '/home/a'), 'a~');
  });
});
