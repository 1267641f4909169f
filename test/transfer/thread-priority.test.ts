/** The disks' threads give way: as the system sees the threads of a program with files on their way in both directions. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { SourceThread } from '../../src/transfer/source/source-thread.js';
import { ReceiveStore } from '../../src/transfer/store/receive-store.js';

/** How nice each thread of this process is: the 19th field of its stat, counted behind the name, which may hold anything. */
async function niceness(): Promise<number[]> {
  const threads = await readdir('/proc/self/task');
  const stats = await Promise.all(threads.map((thread) => readFile(`/proc/self/task/${thread}/stat`, 'utf8')));
  return stats.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
}

describe("the threads of a transfer's disks", () => {
  it('are less urgent than the one with the sockets, which stays as it is', { skip: process.platform !== 'linux' }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-nice-'));
    const usual = getPriority();
    const lower = Math.min(19, usual + transferLimits.diskNiceness);
    const count = async () => (await niceness()).filter((one) => one === lower).length;
    assert.equal(await count(), 0);
    const source = new SourceThread();
    const store = new ReceiveStore({ received: join(folder, 'received'), partial: join(folder, 'partial') });
    t.after(async () => {
      await Promise.all([source.close(), store.close()]);
      await rm(folder, { recursive: true });
    });
    await writeFile(join(folder, 'file'), 'x');
    const opened = await source.open(join(folder, 'file'), { onTally: () => undefined, onSkip: () => undefined });
    await opened.close();
    assert.equal(await count(), 1);
    await store.leftovers();
    assert.equal(await count(), 2);
    assert.equal(getPriority(), usual);
  });
});
