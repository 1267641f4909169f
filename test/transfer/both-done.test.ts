/** Waiting for all work of a transfer keeps nothing of what has been done. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bothDone } from '../../src/transfer/both-done.js';

it('what is under way together resolves when all of it has, and holds nothing of it', async () => {
  let busy: Promise<unknown> = Promise.resolve();
  let done = 0;
  for (let n = 0; n < 3; n += 1) {
    const work = new Promise<{ readonly n: number }>((resolve) =>
      setImmediate(() => {
        done += 1;
        resolve({ n });
      }),
    );
    busy = bothDone(busy, work);
  }
  assert.equal(await busy, undefined);
  assert.equal(done, 3);
});
