/** The answers to LIST_FILES and LIMIT_RATE: aligned, one row each, whatever others call their files. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Leftover, TransferSnapshot } from '../../src/client/api.js';
import { filesLines, rateLimitLines } from '../../src/terminal/files-wording.js';
import { cellsOf, rowsOf } from '../../src/terminal/layout.js';

const running: TransferSnapshot = { id: 1, peer: 'bob', direction: 'incoming', name: 'film.mkv', kind: 'file', size: 4_200_000_000, files: 1, bytes: 1_700_000_000, state: 'running', rate: 25_000_000, left: 100 };
const transfers: TransferSnapshot[] = [
  running,
  { id: 2, peer: 'carol', direction: 'outgoing', name: 'photos', kind: 'folder', size: 1000, files: 12, bytes: 0, state: 'offered', rate: 0 },
  { id: 3, peer: 'bob', direction: 'incoming', name: 'x', kind: 'file', size: 12, files: 1, bytes: 0, state: 'offered', rate: 0 },
  { id: 10, peer: 'bob', direction: 'outgoing', name: 'dir.tar', kind: 'file', size: null, files: 1, bytes: 5_000_000, state: 'stalled', waits: 'peer-disk', rate: 0 },
  { id: 11, peer: 'bob', direction: 'outgoing', name: 'y', kind: 'file', size: 10, files: 1, bytes: 5, state: 'paused', waits: 'own-disk-full', rate: 0 },
];
const leftovers: Leftover[] = [{ peer: 'bob', kind: 'file', name: 'old.iso', bytes: 340_000_000, size: 700_000_000, lastMs: 0, removedMs: Date.UTC(2026, 11, 22) }];

function rows(columns: number | undefined, ...of: Parameters<typeof filesLines> extends [infer A, infer B, unknown] ? [A, B] : never): string[] {
  return filesLines(...of, columns).map(({ prefix, text }) => prefix + text);
}

describe('LIST_FILES', () => {
  it('shows all transfers and what can be continued, in columns', () => {
    assert.deepEqual(rows(undefined, transfers, leftovers), [
      '-- no  with      name             state              done      rate       left',
      '-- 1   from bob  "film.mkv"       running            40 %      25.0 MB/s  1:40',
      '-- 2   to carol  folder "photos"  offered            1.00 kB',
      '-- 3   from bob  "x"              asks you           12 bytes',
      '-- 10  to bob    "dir.tar"        waits: their disk  5.00 MB',
      '-- 11  to bob    "y"              your disk is full  50 %',
      '-- Unfinished, and continued when the same is sent again:',
      '--   with      name       there             kept until',
      '--   from bob  "old.iso"  340 MB of 700 MB  2026-12-22',
    ]);
  });

  it('says that there is nothing', () => assert.deepEqual(rows(80, [], []), ['-- No offers and no transfers.']));

  it('keeps one row for each, cut to the terminal, and its columns, whatever a file or peer is called (HOSTILE 22, 23)', () => {
    const evil = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\n', '\r', '\u202e', ' ', '-', '漢', '😀'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(evil, evil, fc.integer({ min: 90, max: 200 }), (name, peer, columns) => {
        const lines = filesLines([running, { ...running, id: 2, name, peer }], [{ ...(leftovers[0] as Leftover), name, peer }], columns);
        assert.equal(lines.length, 6);
        for (const line of lines) {
          const shown = rowsOf(line, columns);
          assert.equal(shown.length, 1);
          assert.ok(cellsOf(line.prefix + line.text) < columns);
          assert.doesNotMatch(line.text, /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/u);
        }
        const [head, first, second] = lines.map(({ text }) => text);
        const column = cellsOf((head ?? '').slice(0, (head ?? '').indexOf('state')));
        for (const row of [first, second]) assert.ok(cellsOf((row ?? '').slice(0, (row ?? '').lastIndexOf('running'))) === column);
      }),
    );
  });
});

describe('LIMIT_RATE', () => {
  it('says the limit, or that there is none', () => {
    assert.deepEqual(rateLimitLines(10_000_000).map(({ text }) => text), ['The rate limit is 10.0 MB/s for all sending, and as much for all receiving. LIMIT_RATE off lifts it.']);
    assert.match(rateLimitLines(undefined)[0]?.text ?? '', /^There is no rate limit\./u);
  });
});
