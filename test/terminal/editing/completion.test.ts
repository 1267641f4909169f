/** What Tab offers where, and what the grey hint says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TransferSnapshot } from '../../../src/client/api.js';
import type { CompletionSources } from '../../../src/terminal/editing/completion.js';
import { complete, hintFor } from '../../../src/terminal/editing/completion.js';

function transfer(more: Partial<TransferSnapshot>): TransferSnapshot {
  return { id: 1, peer: 'bob', direction: 'incoming', name: 'a', kind: 'file', size: 100, files: 1, bytes: 0, state: 'offered', rate: 0, ...more };
}

const SOURCES: CompletionSources = {
  users: () => ['bob', 'Bobby', 'carol'],
  offline: () => ['Boris'],
  sessions: () => ['bob', 'dora'],
  requests: () => ['eve'],
  blocked: () => ['mallory'],
  transfers: () => [
    transfer({ id: 3, name: 'report\x1b[2J.pdf' }),
    transfer({ id: 12, name: 'pictures', peer: 'carol', kind: 'folder' }),
    transfer({ id: 13, name: 'running', direction: 'outgoing', state: 'running' }),
    transfer({ id: 14, name: 'held', state: 'paused', waits: 'paused-by-you' }),
  ],
  homeDirectory: '/home/me',
  workingDirectory: '/work',
  readFolder: () => Promise.resolve({ entries: [], cut: false }),
};

/** The line after Tab, `|` where the cursor is, and what would be listed. `|` in `line` is the cursor, else it is at the end. */
async function tab(line: string, sources: Partial<CompletionSources> = {}): Promise<[line: string, listed: readonly string[]]> {
  const at = line.includes('|') ? line.indexOf('|') : line.length;
  const text = line.replace('|', '');
  const { from, to, insert, after = '', candidates } = await complete(text, at, { ...SOURCES, ...sources });
  if (candidates.length === 0) return [line.includes('|') ? line : `${line}|`, []];
  return [`${text.slice(0, from)}${insert}|${after}${text.slice(to)}`, candidates];
}

describe('commands', () => {
  const rows: [typed: string, after: string][] = [
    ['GET_CLIENT_I', 'GET_CLIENT_INFO |'],
    ['get_client_i', 'get_client_info |'],
    ['GET', 'GET_CLIENT_|'],
    ['close', 'close_session|'],
    ['LIST_F', 'LIST_FILES|'],
    ['/acc', '/accept|'],
    ['/connect', '/connect |'],
    ['/files', '/files|'],
    ['#', '#HELP |'],
    ['bl', 'bl|'],
    ['BL', 'BLOCK |'],
    ['nothing', 'nothing|'],
    ['LIST_F|x', 'LIST_F|x'],
  ];
  for (const [typed, after] of rows) it(`${typed} → ${after}`, async () => assert.equal((await tab(typed))[0], after));

  it('an empty line lists them all, without their short forms', async () => {
    const [line, listed] = await tab('');
    assert.equal(line, '|');
    assert.ok(listed.includes('SEND_FILE') && listed.includes('#HELP') && !listed.includes('/send'));
  });

  it('are not offered in a message of several lines', async () => {
    assert.deepEqual(await tab('SEND_FILE a\nGET_CLIENT_INFO b'), ['SEND_FILE a\nGET_CLIENT_INFO b|', []]);
  });
});

describe('arguments', () => {
  const rows: [typed: string, after: string, listed?: string[]][] = [
    ['GET_CLIENT_INFO ', 'GET_CLIENT_INFO |', ['bob', 'Bobby', 'carol']],
    ['GET_CLIENT_INFO c', 'GET_CLIENT_INFO carol|'],
    ['GET_CLIENT_INFO B', 'GET_CLIENT_INFO B|', ['bob', 'Bobby']],
    ['GET_CLIENT_INFO bobb', 'GET_CLIENT_INFO Bobby|'],
    ['GET_CLIENT_INFO<c', 'GET_CLIENT_INFO<carol|'],
    ['GET_CLIENT_INFO <c|>', 'GET_CLIENT_INFO <carol|>'],
    ['/connect "c', '/connect "carol|'],
    ['GET_CLIENT_LIST c', 'GET_CLIENT_LIST carol|'],
    ['SWITCH_SESSION ', 'SWITCH_SESSION |', ['bob', 'dora']],
    ['SWITCH_SESSION c', 'SWITCH_SESSION c|', []],
    ['ACCEPT_SESSION ', 'ACCEPT_SESSION eve|'],
    ['UNBLOCK ', 'UNBLOCK mallory|'],
    ['LIMIT_RATE o', 'LIMIT_RATE off|'],
    ['#HELP send', '#HELP send_file|'],
    ['#HELP KE', '#HELP KEYS|'],
    ['CLOSE_SESSION ', 'CLOSE_SESSION |', []],
    ['WAIT_FOR o', 'WAIT_FOR o|', ['online', 'offline', 'offer']],
    ['WAIT_FOR on', 'WAIT_FOR online |'],
    ['WAIT_FOR online c', 'WAIT_FOR online carol|'],
    ['WAIT_FOR online carol 1', 'WAIT_FOR online carol 1|', []],
    ['WAIT_FOR online bor', 'WAIT_FOR online Boris|'],
    ['WHOIS bor', 'WHOIS Boris|'],
    ['GET_CLIENT_INFO bor', 'GET_CLIENT_INFO bor|', []],
    ['VERIFY c', 'VERIFY carol|'],
    ['VERIFY carol y', 'VERIFY carol yes|'],
    ['GET_CLIENT_INFO bob c', 'GET_CLIENT_INFO bob c|', []],
    ['GET_CLIENT_INFO c|x', 'GET_CLIENT_INFO c|x', []],
  ];
  for (const [typed, after, listed] of rows) {
    it(`${typed} → ${after}`, async () => {
      const [line, shown] = await tab(typed);
      assert.equal(line, after);
      if (listed !== undefined) assert.deepEqual(shown, listed);
    });
  }

  it('no more are listed than can be taken in', async () => {
    const many = Array.from({ length: 1500 }, (_, index) => `user${index}`);
    const [line, listed] = await tab('GET_CLIENT_INFO u', { users: () => Promise.resolve(many) });
    assert.equal(line, 'GET_CLIENT_INFO user|');
    assert.deepEqual([listed.length, listed.at(-1)], [201, '… and 1,300 more']);
  });
});

describe('offers and transfers', () => {
  it('are listed with their numbers and names, which cannot do anything', async () => {
    assert.deepEqual((await tab('ACCEPT_FILE '))[1], ['3 "report\\x1b[2J.pdf" from bob', '12 "pictures" from carol']);
  });

  const rows: [typed: string, after: string][] = [
    ['ACCEPT_FILE 1', 'ACCEPT_FILE 12|'],
    ['ACCEPT_FILE pic', 'ACCEPT_FILE 12|'],
    ['/reject REP', '/reject 3|'],
    ['ACCEPT_FILE run', 'ACCEPT_FILE run|'],
    ['PAUSE_FILE ', 'PAUSE_FILE 13|'],
    ['RESUME_FILE ', 'RESUME_FILE 14|'],
    ['CANCEL_FILE #12', 'CANCEL_FILE 12|'],
  ];
  for (const [typed, after] of rows) it(`${typed} → ${after}`, async () => assert.equal((await tab(typed))[0], after));
});

describe('mentions in a message', () => {
  const rows: [typed: string, after: string][] = [
    ['hello @c', 'hello @carol |'],
    ['hello (@c', 'hello (@carol |'],
    ['hello @c|, how are you?', 'hello @carol|, how are you?'],
    ['@bo', '@bo|'],
    ['hello c', 'hello c|'],
    ['me@c', 'me@c|'],
    ['hello @c|arol', 'hello @c|arol'],
    ['AWAY ask @c', 'AWAY ask @carol |'],
  ];
  for (const [typed, after] of rows) it(`${typed} → ${after}`, async () => assert.equal((await tab(typed))[0], after));
});

describe('the hint', () => {
  const rows: [line: string, hint: string][] = [
    ['GET_CLIENT_INFO', ' <user>'],
    ['GET_CLIENT_INFO ', '<user>'],
    ['/connect ', '<user>'],
    ['send_file ', '<path>'],
    ['SEND_FILE a', ''],
    ['LIST_FILES', ''],
    ['block ', ''],
    ['BLOCK ', '<user>'],
    ['VERIFY bob ', '[yes|no]'],
    ['VERIFY bob y', ''],
    ['WAIT_FOR online ', '[who] [time]'],
    ['GET_CLIENT_INFO bob ', ''],
    ['SEND_FILE two words ', ''],
    ['hello', ''],
    [' SEND_FILE ', ''],
    ['', ''],
  ];
  for (const [line, hint] of rows) it(`${JSON.stringify(line)} → ${JSON.stringify(hint)}`, () => assert.equal(hintFor(line), hint));
});
