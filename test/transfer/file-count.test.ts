/** Files that have ended, counted in a list with folders in it (PROTOCOL.md 7.5.1, 7.5.5). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '../../src/protocol/peer-messages.js';
import { FileCount } from '../../src/transfer/file-count.js';

const file: Entry = { name: 'a', size: 1, modified: 0 };
const folder: Entry = { folder: ['a'], modified: 0 };

describe('the files of a list', () => {
  it('are its entries without its folders, as far as they have ended', () => {
    const count = new FileCount();
    count.listed(0, [file, file, folder, file]);
    count.listed(4, [folder, folder, file]);
    const files = [1, 2, 3, 4, 5, 6, 7].map((ended) => {
      count.reach(ended);
      return count.files;
    });
    assert.deepEqual(files, [1, 2, 2, 3, 3, 3, 4]);
  });

  it('are counted on where a list begins behind what both sides have', () => {
    const count = new FileCount();
    count.listed(0, [file, folder, file, folder, file]);
    count.reach(3);
    count.listed(3, [folder, file, file]);
    count.reach(6);
    assert.equal(count.files, 4);
  });

  it('are counted anew where a list begins anew', () => {
    const count = new FileCount();
    count.listed(0, [file, folder, file]);
    count.reach(3);
    count.listed(0, [file, folder, file]);
    assert.equal(count.files, 0);
    count.reach(2);
    assert.equal(count.files, 1);
  });
});
