/** Plain-text logs: what stands in them, who may read them, and that nothing waits for the disk (HOSTILE 20 to 23, 27). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ClientEvent } from '../../src/client/api.js';
import { P2pError } from '../../src/protocol/errors.js';
import { terminalLimits } from '../../src/protocol/limits.js';
import type { AppendToLog } from '../../src/terminal/chat-log.js';
import { localTime, openChatLog } from '../../src/terminal/chat-log.js';

const at = new Date('2026-11-22T20:40:11Z');
const STAMP = localTime(at);

const incoming = (text: string, peer = 'bob'): ClientEvent => ({ event: 'message', peer, direction: 'in', text });

describe('the chat log', () => {
  let folder: string;
  let warnings: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-chat-log-'));
    warnings = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (append?: AppendToLog) =>
    openChatLog({ folder: join(folder, 'logs'), date: () => at, user: () => 'alice', warn: (text) => warnings.push(text), ...(append === undefined ? {} : { append }) });
  const text = async (name = 'bob.log') => await readFile(join(folder, 'logs', name), 'utf8');

  async function log(...events: ClientEvent[]): Promise<void> {
    const chatLog = await open();
    for (const event of events) chatLog.see(event);
    await chatLog.close();
  }

  it('holds who said what when, and which files went', async () => {
    await log(
      incoming('hello'),
      { event: 'message', peer: 'bob', direction: 'out', text: 'two\nlines', number: 1 },
      { event: 'offer', id: 3, peer: 'bob', direction: 'incoming', name: 'film.mkv', kind: 'file', size: 4_200_000_000, files: 1, counted: true },
      { event: 'transfer-done', id: 3, peer: 'bob', direction: 'incoming', name: 'film.mkv', kind: 'file', path: '/h/received/film.mkv', bytes: 4_200_000_000, resumed: 0, files: 1, same: 0, refused: 0, seconds: 1 },
      { event: 'progress', id: 3, bytes: 1, total: 2, rate: 1 },
      { event: 'session-closed', peer: 'bob', reason: 'bob closed the session.', code: 'closed-by-peer', undelivered: 0 },
    );
    assert.equal(
      await text(),
      [
        '<bob> hello',
        '<alice> two',
        '<alice> lines',
        '-- bob offers "film.mkv" (4.20 GB), number 3',
        '-- received "film.mkv" (4.20 GB), verified: /h/received/film.mkv',
        '-- session closed: bob closed the session.',
      ]
        .map((line) => `${STAMP} ${line}\n`)
        .join(''),
    );
  });

  it('is one file a person, for its owner only, and is appended to', async () => {
    await log(incoming('1'), incoming('2', 'Carol'));
    await log(incoming('3'), incoming('4', 'carol'));
    assert.deepEqual(await readdir(join(folder, 'logs')), ['bob.log', 'carol.log']);
    assert.equal(await text(), `${STAMP} <bob> 1\n${STAMP} <bob> 3\n`);
    assert.deepEqual([(await stat(join(folder, 'logs'))).mode & 0o777, (await stat(join(folder, 'logs', 'bob.log'))).mode & 0o777], [0o700, 0o600]);
  });

  it('lets nobody forge a line, a speaker or a terminal command', async () => {
    await log(incoming(`x\n${STAMP} <alice> I owe you\r<alice> y\u{1b}]52;c;eA==\u{7}\u{202e}`));
    const lines = (await text()).split('\n').slice(0, -1);
    assert.deepEqual(lines, [`${STAMP} <bob> x`, `${STAMP} <bob> ${STAMP} <alice> I owe you\\r<alice> y\\x1b]52;c;eA==\\x07\\u202e`]);
  });

  it('stays in its folder, whatever a name means elsewhere', async () => {
    await log(incoming('x', 'con'), incoming('y', '..'));
    assert.deepEqual((await readdir(join(folder, 'logs'))).sort(), ['___log', '_con.log']);
  });

  it('follows no link', async () => {
    await log(incoming('first'));
    await rm(join(folder, 'logs', 'bob.log'));
    await writeFile(join(folder, 'mine'), '');
    await symlink(join(folder, 'mine'), join(folder, 'logs', 'bob.log'));
    await log(incoming('x'));
    assert.equal(await readFile(join(folder, 'mine'), 'utf8'), '');
    assert.match(warnings.join('\n'), /bob\.log cannot be written \(ELOOP\)/u);
  });

  it('takes a file only, and waits for no pipe', async () => {
    await log(incoming('first', 'carol'));
    assert.equal(spawnSync('mkfifo', [join(folder, 'logs', 'bob.log')]).status, 0);
    await log(incoming('x'));
    assert.match(warnings.join('\n'), /bob\.log cannot be written \(not a file\)/u);
  });

  it('ends a line that a crash has cut before it writes the next', async () => {
    await log(incoming('1'));
    await writeFile(join(folder, 'logs', 'bob.log'), 'cut');
    await log(incoming('2'));
    assert.equal(await text(), `cut\n${STAMP} <bob> 2\n`);
  });

  it('says once that the disk is full, and in the file what is missing when there is room again', async () => {
    let full = true;
    const written: string[] = [];
    const chatLog = await open((_path, lines) => {
      if (full) return Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      written.push(lines);
      return Promise.resolve();
    });
    for (const one of ['1', '2', '3']) {
      chatLog.see(incoming(one));
      await chatLog.close();
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /bob\.log cannot be written \(the disk is full\)\. The chat goes on/u);
    full = false;
    chatLog.see(incoming('4'));
    await chatLog.close();
    assert.deepEqual(written, [`${STAMP} -- 3 lines are missing here: the disk did not take them.\n${STAMP} <bob> 4\n`]);
    full = true;
    chatLog.see(incoming('5'));
    await chatLog.close();
    assert.equal(warnings.length, 2);
  });

  it('keeps no more than its limit for a disk that does not answer', async () => {
    const batches: string[] = [];
    let answer = (): void => undefined;
    const chatLog = await open((_path, lines) => {
      batches.push(lines);
      return new Promise((resolve) => (answer = resolve));
    });
    chatLog.see(incoming('first'));
    await new Promise((resolve) => setImmediate(resolve));
    const message = 'x'.repeat(10_000);
    for (let sent = 0; sent < (2 * terminalLimits.chatLogQueueChars) / message.length; sent += 1) chatLog.see(incoming(message));
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    answer();
    await chatLog.close();
    assert.equal(batches.length, 2);
    assert.ok((batches[1]?.length ?? 0) <= terminalLimits.chatLogQueueChars + 200, String(batches[1]?.length));
    assert.match(batches[1] ?? '', /-- \d+ lines are missing here/u);
  });

  it('is refused at the start where its folder cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(
      openChatLog({ folder: join(folder, 'file', 'logs'), date: () => at, user: () => undefined, warn: () => undefined }),
      (error) => error instanceof P2pError && error.code === 'usage' && /^--log-chat: the folder .* cannot be made \(ENOTDIR\)/u.test(error.message),
    );
  });
});

describe('local time', () => {
  it('says how far it is ahead', () => assert.match(localTime(at), /^2026-11-2[23]T\d\d:\d\d:11[+-]\d\d:\d\d$/u));
});
