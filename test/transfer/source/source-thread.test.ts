/** Sources in their thread: real files, several at once, and the thread's own life. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { systemClock, type Clock } from '../../../src/net/clock.js';
import { P2pError } from '../../../src/protocol/errors.js';
import { BufferPool } from '../../../src/transfer/buffer-pool.js';
import { TransferFailure } from '../../../src/transfer/failure.js';
import type { Source, SourceEvents, SourceFacts } from '../../../src/transfer/source/source.js';
import { SourceThread } from '../../../src/transfer/source/source-thread.js';
import { hash, Receiver, takeAll, told, TRANSFER } from './sent-frames.js';

const MiB = 1024 * 1024;
const root = mkdtempSync(join(tmpdir(), 'p2p-thread-'));
const thread = new SourceThread();
const pool = new BufferPool();
after(async () => {
  await thread.close();
  rmSync(root, { recursive: true, force: true });
});

const quiet: SourceEvents = { onTally: () => undefined, onSkip: () => undefined };

function file(name: string, content: Buffer): string {
  writeFileSync(join(root, name), content);
  return join(root, name);
}

/** A folder of `count` small files in ten folders, and one that is empty. */
function manyFiles(name: string, count: number): string {
  const top = join(root, name);
  mkdirSync(join(top, 'leer'), { recursive: true });
  for (let i = 0; i < 10; i += 1) mkdirSync(join(top, `Ordner ${i} ä`));
  for (let i = 0; i < count; i += 1) writeFileSync(join(top, `Ordner ${i % 10} ä`, `${i}.txt`), `content ${i}`);
  return top;
}

async function readOnce(source: Source, into: Receiver): Promise<boolean> {
  const block = pool.take();
  const batch = await source.read(block, TRANSFER, MiB);
  into.take(block, batch);
  pool.give(block);
  return batch.idle;
}

/** Everything of a started and planned source. */
async function readAll(source: Source, into = new Receiver()): Promise<Receiver> {
  while (!(await readOnce(source, into)));
  return into;
}

/** A folder in which it takes a while until anything is found to be listed. */
function longInVain(name: string): string {
  const top = join(root, name);
  mkdirSync(top);
  for (let i = 0; i < 12_000; i += 1) symlinkSync('/', join(top, `${i}`));
  writeFileSync(join(top, 'zz'), 'found');
  return top;
}

describe('a source in its thread', () => {
  it('asks no further when it is closed while it looks for something to list', async () => {
    const source = await thread.open(longInVain('vain closed'), quiet);
    await source.start();
    const listing = source.list();
    await source.close();
    assert.deepEqual((await listing).entries, []);
    await assert.doesNotReject(thread.open(file('after', Buffer.alloc(1)), quiet));
  });

  it('lists for the next link what was looked for for an earlier one', async () => {
    const source = await thread.open(longInVain('vain anew'), quiet);
    await source.start();
    const late = source.list();
    await source.start();
    const listing = await source.list();
    assert.deepEqual((await late).entries, []);
    assert.deepEqual([listing.first, listing.entries.length], [0, 1]);
    await source.close();
  });

  it('sends a file', async () => {
    const content = Buffer.alloc(5 * MiB + 3, 'abcdefg');
    const source = await thread.open(file('one', content), quiet);
    assert.deepEqual([source.facts.kind, source.facts.size, source.repeatable], ['file', content.length, true]);
    await source.start();
    source.plan(takeAll(0, 1));
    const got = await readAll(source);
    got.mustHave(0, content);
    assert.equal(got.blake3, hash(content));
    assert.equal(source.busyMs, 0);
    await source.close();
    await source.close();
  });

  it('sends a folder of 3,000 files, listing while it reads', async () => {
    const source = await thread.open(manyFiles('many', 3000), quiet);
    assert.deepEqual([source.facts.kind, source.facts.files, source.facts.counted], ['folder', 3000, true]);
    assert.equal((await source.survey(0)).first, 0);
    await source.start();
    const [got, names, reading] = [new Receiver(), [] as string[], [] as Promise<unknown>[]];
    for (let last = false; !last; ) {
      const part = await source.list();
      names.push(...told(part.entries));
      last = part.last;
      source.plan(takeAll(part.first, part.entries.length));
      await Promise.all(reading.splice(0));
      reading.push(readOnce(source, got));
    }
    await Promise.all(reading);
    await readAll(source, got);
    assert.deepEqual([names.length, got.ended, got.entries.size], [3011, 3011, 3000]);
    names.forEach((name, entry) => {
      const number = /^(?<number>\d+)\.txt/u.exec(name)?.groups?.['number'];
      if (number !== undefined) got.mustHave(entry, Buffer.from(`content ${number}`));
    });
    await source.close();
  });

  it('lets another go on while it compares what a receiver has', async () => {
    const large = Buffer.alloc(64 * MiB, 'x');
    const source = await thread.open(file('large', large), quiet);
    const small = await thread.open(file('small', Buffer.from('small')), quiet);
    await source.start();
    source.plan({ ...takeAll(0, 1), have: [{ entry: 0, points: [{ bytes: large.length, blake3: hash(large) }] }] });
    let compared = false;
    const comparing = readAll(source).then((got) => {
      compared = true;
      got.mustHave(0, large, large.length);
    });
    await small.start();
    small.plan(takeAll(0, 1));
    (await readAll(small)).mustHave(0, Buffer.from('small'));
    assert.equal(compared, false);
    await comparing;
    await Promise.all([source.close(), small.close()]);
  });

  it('tells what went wrong with its code and words', async () => {
    await assert.rejects(thread.open(join(root, 'nothing'), quiet), (error) => error instanceof P2pError && !(error instanceof TransferFailure) && error.code === 'no-such-file');
    const path = file('changing', Buffer.from('x'));
    const source = await thread.open(path, quiet);
    await source.start();
    source.plan(takeAll(0, 1));
    utimesSync(path, 1, 1);
    await assert.rejects(readAll(source), (error) => error instanceof TransferFailure && error.code === 'source-changed');
    await assert.rejects(source.start(), { name: 'TransferFailure', code: 'source-changed' });
    await source.close();
  });

  it('does not stop at a plan that fits nothing, but fails', async () => {
    const source = await thread.open(file('planned', Buffer.from('x')), quiet);
    await source.start();
    source.plan(takeAll(0, 2));
    const block = pool.take();
    await assert.rejects(source.read(block, TRANSFER, MiB), { code: 'out-of-order' });
    await source.start();
    source.plan(takeAll(0, 1));
    (await readAll(source)).mustHave(0, Buffer.from('x'));
    await source.close();
  });
});

describe('what a folder tells', () => {
  it('comes when it has been given out: what is left out, once', async () => {
    const top = manyFiles('skips', 10);
    symlinkSync('/etc', join(top, 'link'));
    const told: string[] = [];
    let given = false;
    const skipped = new Promise<void>((resolve) => {
      const onSkip = (path: string, reason: string) => {
        assert.ok(given);
        told.push(`${path}: ${reason}`);
        resolve();
      };
      void thread.open(top, { ...quiet, onSkip }).then(async (source) => {
        given = true;
        await source.start();
        await source.list();
        await source.close();
      });
    });
    await skipped;
    assert.deepEqual(told, ['link: a symbolic link']);
  });

  it('is the growing count, where counting takes longer than an offer waits', async () => {
    // The time for counting is over as soon as it begins.
    const hasty: Clock = {
      ...systemClock,
      after: (_ms, action) => {
        queueMicrotask(action);
        return { stop: () => undefined };
      },
    };
    const own = new SourceThread(hasty);
    const top = manyFiles('counted', 3000);
    let final: (facts: SourceFacts) => void = () => undefined;
    const counted = new Promise<SourceFacts>((resolve) => (final = resolve));
    const source = await own.open(top, { ...quiet, onTally: (facts) => facts.counted && final(facts) });
    assert.equal(source.facts.counted, false);
    assert.deepEqual([(await counted).files, source.facts.files], [3000, 3000]);
    await own.close();
  });
});

describe('the thread', () => {
  it('rejects what is under way when it is closed, and what comes later', async () => {
    const own = new SourceThread();
    const source = await own.open(file('closing', Buffer.alloc(MiB)), quiet);
    await source.start();
    source.plan(takeAll(0, 1));
    const reading = assert.rejects(source.read(pool.take(), TRANSFER, MiB), { name: 'TransferFailure' });
    await Promise.all([own.close(), own.close(), reading]);
    await assert.rejects(own.open(join(root, 'closing'), quiet), { name: 'TransferFailure' });
    await source.close();
  });

  const run = (name: string, code: string) => {
    const module = new URL('../../../src/transfer/source/source-thread.js', import.meta.url).href;
    const begin = `import { SourceThread } from ${JSON.stringify(module)}; const thread = new SourceThread();`;
    return promisify(execFile)(process.execPath, [file(name, Buffer.from(`${begin} ${code}`))], { timeout: 10_000 });
  };

  it('does not keep a program alive', async () => {
    const path = JSON.stringify(file('idle', Buffer.from('x')));
    const { stdout } = await run('idle.mjs', `const source = await thread.open(${path}, { onTally() {}, onSkip() {} }); console.log(source.facts.size);`);
    assert.equal(stdout, '1\n');
  });

  it('ends the program with an error that is a bug', async () => {
    const failing = run('bug.mjs', `await thread.ask(99, { do: 'list' }, () => undefined).catch(() => undefined);`);
    await assert.rejects(failing, (error: Error & { code?: number; stderr?: string }) => error.code === 1 && /no source 99/u.test(error.stderr ?? ''));
  });
});
