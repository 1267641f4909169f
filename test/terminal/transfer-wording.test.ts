/**
 * What people read about offers and transfers: files, folders, pipes, waits and ends.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvent, ClientEventOf, TransferSnapshot } from '../../src/client/api.js';
import { waitingAtEndText } from '../../src/terminal/transfer-wording.js';
import type { WordingContext } from '../../src/terminal/wording.js';
import { eventLines } from '../../src/terminal/wording.js';
import { BLAKE3 } from './fake-client.js';

const context: WordingContext = { user: 'alice', current: 'bob', sessions: ['bob'], transfers: [], rateLimit: undefined, accept: 'ask', keysAnswer: undefined, interactive: true };

function words(event: ClientEvent, more: Partial<WordingContext> = {}): string[] {
  return eventLines(event, { ...context, ...more }).map(({ prefix, text }) => prefix + text);
}

const file = { id: 3, peer: 'bob', direction: 'incoming', name: 'a.bin' } as const;
const folder = { ...file, name: 'photos' } as const;
const fileOffer = { event: 'offer', ...file, kind: 'file', size: 1_500_000, files: 1, counted: true } as const;
const folderOffer = { event: 'offer', ...folder, kind: 'folder', size: 3_400_000_000, files: 1234, counted: true } as const;
const ofFile: TransferSnapshot = { ...file, kind: 'file', size: 100, files: 1, bytes: 40, state: 'running', rate: 10 };
const ofFolder: TransferSnapshot = { ...folder, kind: 'folder', size: 1000, files: 1234, bytes: 40, state: 'running', rate: 10 };

const offers: [string, ClientEvent, Partial<WordingContext>, string[]][] = [
  ['a file', fileOffer, {}, ['-- bob offers "a.bin" (1.50 MB), number 3. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a file, where keys answer', fileOffer, { keysAnswer: 3 }, ['-- bob offers "a.bin" (1.50 MB), number 3. Ctrl-Y accepts, Ctrl-N refuses; or ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a file behind another', fileOffer, { keysAnswer: 2 }, ['-- bob offers "a.bin" (1.50 MB), number 3. ACCEPT_FILE 3 or REJECT_FILE 3; Ctrl-Y and Ctrl-N answer number 2 first.']],
  ['a file that is accepted by policy', { ...fileOffer, decision: 'accepted' }, { accept: 'all', keysAnswer: 3 }, ['-- bob offers "a.bin" (1.50 MB), number 3. It is accepted.']],
  ['a file that is refused by policy', { ...fileOffer, decision: 'refused' }, { accept: 'none' }, ['-- bob offers "a.bin" (1.50 MB), number 3. It is refused, as --accept none says.']],
  ['a file that a narrowed policy leaves out', { ...fileOffer, decision: 'refused' }, { accept: 'all' }, ['-- bob offers "a.bin" (1.50 MB), number 3. It is refused.']],
  ['a file that is there already', { ...fileOffer, same: 1 }, {}, ['-- bob offers "a.bin" (1.50 MB), number 3. It seems to be there already. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a file that was begun before', { ...fileOffer, partial: 340_000 }, {}, ['-- bob offers "a.bin" (1.50 MB), number 3. 340 kB of it are there from an earlier try. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a pipe', { ...fileOffer, size: null, free: 5 }, {}, ['-- bob offers "a.bin" (size not known), number 3. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a folder', { ...folderOffer, same: 1200 }, {}, ['-- bob offers the folder "photos" (1,234 files, 3.40 GB), number 3. 1,200 of them are there already. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['a folder that is still being counted', { ...folderOffer, counted: false }, {}, ['-- bob offers the folder "photos" (1,234 files, 3.40 GB and counting), number 3. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['more than the disk holds', { ...folderOffer, free: 2_100_000_000 }, {}, ['-- bob offers the folder "photos" (1,234 files, 3.40 GB), number 3. Only 2.10 GB are free here: it would pause until there is room. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['more than the disk holds, of which enough is there', { ...fileOffer, partial: 1_000_000, free: 600_000 }, {}, ['-- bob offers "a.bin" (1.50 MB), number 3. 1.00 MB of it are there from an earlier try. ACCEPT_FILE 3 or REJECT_FILE 3.']],
  ['an own folder', { ...folderOffer, direction: 'outgoing', counted: false }, {}, ['-- Offered the folder "photos" (1,234 files, 3.40 GB and counting) to bob as number 3. Waiting for an answer.']],
  ['a folder that has been counted', { event: 'offer-update', ...folder, size: 3_400_000_000, files: 1, counted: true, same: 1 }, {}, ['-- Number 3, the folder "photos" from bob: 1 file, 3.40 GB. 1 of them are there already.']],
];

describe('the words for an offer of', () => {
  for (const [name, event, more, lines] of offers) it(name, () => assert.deepEqual(words(event, more), lines));
});

const states: [ClientEventOf<'transfer-state'>['state'], ClientEventOf<'transfer-state'>['waits'], string][] = [
  ['queued', undefined, '-- "a.bin" from bob waits for its turn.'],
  ['checking', undefined, '-- "a.bin" from bob: what is there already is being checked.'],
  ['running', undefined, '-- "a.bin" from bob goes on.'],
  ['reconnecting', undefined, '-- "a.bin" from bob waits until the connection to bob is back.'],
  ['stalled', 'network', '-- "a.bin" from bob waits for the network.'],
  ['stalled', 'own-disk', '-- "a.bin" from bob waits for your disk.'],
  ['stalled', 'peer-disk', '-- "a.bin" from bob waits for the disk of bob.'],
  ['stalled', 'own-rate-limit', '-- "a.bin" from bob waits for the rate limit, yours of 1.00 MB/s. LIMIT_RATE changes it.'],
  ['stalled', 'peer-rate-limit', '-- "a.bin" from bob waits for the rate limit of bob.'],
  ['paused', 'paused-by-you', '-- "a.bin" from bob is paused. RESUME_FILE 3 goes on.'],
  ['paused', 'paused-by-peer', '-- "a.bin" from bob is paused by bob.'],
  ['paused', 'own-disk-full', '!! Your disk is full. "a.bin" from bob is paused, and goes on by itself when there is room.'],
  ['paused', 'peer-disk-full', '!! The disk of bob is full. "a.bin" from bob is paused, and goes on by itself when there is room.'],
];

describe('the words for a transfer that is', () => {
  for (const [state, waits, line] of states) {
    const event: ClientEvent = { event: 'transfer-state', ...file, state, ...(waits === undefined ? {} : { waits }) };
    it([state, waits ?? ''].join(' ').trim(), () => assert.deepEqual(words(event, { rateLimit: 1_000_000 }), [line]));
  }
  it('under way: a file', () => {
    const event: ClientEvent = { event: 'progress', id: 3, bytes: 40, total: 100, rate: 10 };
    assert.deepEqual(words(event, { transfers: [ofFile] }), ['-- [########------------] 40 % "a.bin" from bob: 40 bytes of 100 bytes, 10 bytes/s, 6.0 s left']);
  });
  it('under way: a folder', () => {
    const event: ClientEvent = { event: 'progress', id: 3, bytes: 500, total: 1000, rate: 0, files: 340 };
    assert.deepEqual(words(event, { transfers: [ofFolder] }), ['-- [##########----------] 50 % "photos" from bob: 340 of 1,234 files, 500 bytes of 1.00 kB, 0 bytes/s']);
  });
  it('under way: a pipe', () => {
    const event: ClientEvent = { event: 'progress', id: 3, bytes: 5_000_000, total: null, rate: 1_000_000 };
    assert.deepEqual(words(event, { transfers: [{ ...ofFile, size: null }] }), ['-- "a.bin" from bob: 5.00 MB so far, 1.00 MB/s']);
  });
});

const counts = { bytes: 3_000_000, resumed: 0, same: 0, refused: 0, seconds: 2 } as const;
const done = { event: 'transfer-done', ...file, ...counts, kind: 'file', path: '/r/a.bin', files: 1, blake3: BLAKE3 } as const;
const folderDone = { event: 'transfer-done', ...folder, ...counts, kind: 'folder', path: '/r/photos', files: 1234 } as const;
const sent = { event: 'transfer-done', ...file, ...counts, direction: 'outgoing', kind: 'file', files: 1, blake3: BLAKE3 } as const;
const ends: [string, ClientEvent, string[]][] = [
  ['a received file', done, ['-- Received "a.bin" from bob: 3.00 MB in 2.0 s, 1.50 MB/s. Verified.', '-- Stored as /r/a.bin', `-- BLAKE3 ${BLAKE3}`]],
  ['a continued file', { ...sent, resumed: 1_000_000 }, ['-- Sent "a.bin" to bob: 3.00 MB in 2.0 s, 1.00 MB/s, 1.00 MB of it were there already. Verified.', `-- BLAKE3 ${BLAKE3}`]],
  ['a file that is there already', { ...done, same: 1, resumed: 3_000_000 }, ['-- "a.bin" from bob is already there, nothing was received.', '-- It is /r/a.bin']],
  ['an own file that is there already', { ...sent, same: 1, resumed: 3_000_000 }, ['-- "a.bin" to bob is already there, nothing was sent.']],
  ['a received folder', folderDone, ['-- Received the folder "photos" from bob: 1,234 files, 3.00 MB in 2.0 s, 1.50 MB/s. Verified.', '-- Stored as /r/photos']],
  ['a folder of which much was there', { ...folderDone, same: 12, resumed: 1_000_000, refused: 3 }, [
    '-- Received the folder "photos" from bob: 1,234 files, 3.00 MB in 2.0 s, 1.00 MB/s, 12 were there already, 1.00 MB of it did not need to be sent again. Verified.',
    '!! 3 of "photos" were left out.',
    '-- Stored as /r/photos',
  ]],
  ['a folder of which all was there', { ...folderDone, same: 1234 }, ['-- All 1,234 files of the folder "photos" from bob are already there, nothing was received.', '-- It is /r/photos']],
  ['an empty folder', { ...folderDone, files: 0, bytes: 0, seconds: 0 }, ['-- Received the folder "photos" from bob: 0 files, 0 bytes in 0.0 s. Verified.', '-- Stored as /r/photos']],
  ['a failed transfer', { event: 'transfer-failed', ...file, code: 'disk-full', message: 'The disk is full.' }, ['!! "a.bin" from bob was not transferred: The disk is full.']],
  ['what the person refused', { event: 'transfer-failed', ...file, code: 'rejected', message: 'The receiver declined the file.', by: 'you' }, ['-- You refused "a.bin" from bob.']],
  ['what the other person refused', { event: 'transfer-failed', ...file, direction: 'outgoing', code: 'rejected', message: 'bob says: "The receiver declined the file."' }, ['!! "a.bin" to bob was not transferred: bob refused it.']],
  ['what the person cancelled', { event: 'transfer-failed', ...file, code: 'cancelled', message: 'The receiver cancelled the transfer.', by: 'you' }, ['-- You cancelled "a.bin" from bob.']],
  ['what the other person cancelled', { event: 'transfer-failed', ...file, code: 'cancelled', message: 'bob says: "The sender cancelled the transfer."', by: 'peer' }, ['!! "a.bin" from bob was not transferred: bob cancelled it.']],
  ['what a sender ends as refused', { event: 'transfer-failed', ...file, code: 'rejected', message: 'bob says: "No."', by: 'peer' }, ['!! "a.bin" from bob was not transferred: bob says: "No."']],
];

describe('the words for', () => {
  for (const [name, event, lines] of ends) it(name, () => assert.deepEqual(words(event), lines));
  it('one entry of a folder, hostile names as text', () => {
    const event: ClientEvent = { event: 'transfer-note', ...folder, path: 'lib/x\x1b[2J', note: 'cannot be stored here\n-- fake' };
    assert.deepEqual(words(event), ['-- "photos" from bob: "lib/x\\x1b[2J" cannot be stored here\\n-- fake']);
    assert.deepEqual(words({ ...event, direction: 'outgoing', note: 'a symbolic link' }), ['-- "photos" to bob: skipped "lib/x\\x1b[2J": a symbolic link']);
    assert.deepEqual(words({ ...event, path: '', note: '7 more like these' }), ['-- "photos" from bob: 7 more like these']);
  });
  it('what the end of a script waits for', () => {
    const paused = { ...ofFile, state: 'paused' } as const;
    assert.equal(waitingAtEndText({ ...paused, waits: 'paused-by-peer' }), 'Waiting for "a.bin" from bob, which bob has paused.');
    assert.equal(waitingAtEndText({ ...paused, waits: 'own-disk-full' }), 'Waiting for "a.bin" from bob, until there is room on your disk.');
    assert.equal(waitingAtEndText({ ...paused, waits: 'peer-disk-full' }), 'Waiting for "a.bin" from bob, until there is room on the disk of bob.');
    assert.equal(waitingAtEndText({ ...paused, waits: 'paused-by-you' }), '"a.bin" from bob was paused here, and nobody is left to resume it: it goes on.');
    assert.equal(waitingAtEndText(ofFile), undefined);
  });
});
