/** The row of a running transfer: what it says, and what it leaves out in a narrow window. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TransferSnapshot } from '../../src/client/api.js';
import { cellsOf } from '../../src/terminal/layout.js';
import { liveTransferRows } from '../../src/terminal/live-transfers.js';

const photo: TransferSnapshot = { id: 1, peer: 'bob', direction: 'incoming', name: 'photo.jpg', kind: 'file', size: 10_000_000, files: 1, bytes: 4_500_000, state: 'running', rate: 1_000_000, left: 5.5 };
const backup: TransferSnapshot = { ...photo, id: 2, peer: 'carol', direction: 'outgoing', name: 'backup', bytes: 9_900_000, state: 'paused', waits: 'paused-by-peer', rate: 0 };

function rows(transfers: readonly TransferSnapshot[], cells: number, utf8 = true): string[] {
  return liveTransferRows(transfers, { cells, utf8 }).map((line) => line.prefix + line.text);
}

describe('the live row of a transfer', () => {
  it('says direction, name, peer, share, rate and time left', () => {
    assert.deepEqual(rows([photo], 79), ['↓ photo.jpg  from bob  █████████░░░░░░░░░░░  45 %  1.00 MB/s  5.5 s left']);
  });
  it('stands in columns, and says why nothing moves', () => {
    assert.deepEqual(rows([backup, photo], 79), [
      '↓ photo.jpg  from bob  █████████░░░░░░░░░░░  45 %     1.00 MB/s  5.5 s left',
      '↑ backup     to carol  ███████████████████▊  99 %  paused there',
    ]);
  });
  it('leaves out peer, bar, rate and time as the window narrows, never the share', () => {
    assert.deepEqual(
      [65, 50, 40, 30, 22, 12].map((cells) => rows([photo], cells)[0]),
      [
        '↓ photo.jpg  from bob  ███▌░░░░  45 %  1.00 MB/s  5.5 s left',
        '↓ photo.jpg  ███▌░░░░  45 %  1.00 MB/s  5.5 s left',
        '↓ photo.jpg  45 %  1.00 MB/s  5.5 s left',
        '↓ photo.jpg  45 %  5.5 s left',
        '↓ photo.jpg  45 %',
        '↓ pho…  45 %',
      ],
    );
  });
  it('says how much has come where nobody knows how much there is', () => {
    assert.deepEqual(rows([{ ...photo, size: null, left: undefined } as unknown as TransferSnapshot], 79), ['↓ photo.jpg  from bob  4.50 MB  1.00 MB/s']);
  });
  it('is not there for an offer that waits for an answer', () => assert.deepEqual(rows([{ ...photo, state: 'offered' }], 79), []));
  it('is ASCII where nothing else can be shown', () => {
    assert.deepEqual(rows([{ ...photo, name: '漢.jpg' }], 79, false), ['v \\u6f22.jpg  from bob  [#########-----------]  45 %  1.00 MB/s  5.5 s left']);
  });
  it('is never full before all is there', () => {
    assert.match(rows([{ ...photo, bytes: 9_999_999 }], 79)[0] ?? '', /█{19}▉ {2}99 %/u);
  });
  it('fits into any width, whatever the name', () => {
    const name = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\n', '漢', '😀', '\u0301', '👨‍👩‍👧', '🇩🇪'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 60 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), fc.integer({ min: 9, max: 120 }), fc.boolean(), (names, cells, utf8) => {
        for (const row of rows(names.map((one) => ({ ...photo, name: one })), cells, utf8)) {
          assert.ok(cellsOf(row) <= cells, `${cellsOf(row)} of ${cells}: ${row}`);
          assert.doesNotMatch(row, utf8 ? /[\x00-\x1f\x7f-\x9f\u2028\u2029]/u : /[^\x20-\x7e]/u);
        }
      }),
    );
  });
});
