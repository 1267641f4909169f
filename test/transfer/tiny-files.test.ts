/** Folders of very many tiny files over a link that is slower than both disks (PROTOCOL.md 7.5.1). */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { linkedPair } from './harness.js';

it('very many tiny files are not listed further ahead than their ends have gone out', async (t) => {
  const { alice } = await linkedPair(t);
  const folder = join(alice.root, 'tiny');
  await mkdir(folder);
  for (let n = 0; n < 9_600; n += 200) await Promise.all(Array.from({ length: 200 }, (_, i) => writeFile(join(folder, `${n + i}`), '')));
  alice.limiter.limit = 20_000;
  const { finished } = await alice.manager.offer(folder);
  await alice.message('entries', ({ first }) => first > 8192);
  alice.limiter.limit = undefined;
  const ended = await finished;
  assert.equal(ended.event, 'transfer-done', JSON.stringify(ended));
});
