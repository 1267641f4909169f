/** The file of the blocked: what it holds, what is done when it cannot be read, who is recognised. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BlockList } from '../../src/client/block-list.js';
import { clientLimits } from '../../src/protocol/limits.js';
import { temporaryDirectory } from '../helpers/test-server.js';

const KEY = `SHA256:${'A'.repeat(43)}`;
const OTHER = `SHA256:${'B'.repeat(43)}`;
const HERE = '127.0.0.1:9090';

describe('the block list', () => {
  let folder: string;
  let path: string;
  let list: BlockList;
  beforeEach(async () => {
    folder = await temporaryDirectory();
    path = join(folder, 'home', 'blocked');
    list = new BlockList(path);
    await list.load();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is kept, for nobody else to read', async () => {
    await list.add('bob', HERE, KEY);
    await list.add('eve', HERE, undefined);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = new BlockList(path);
    await again.load();
    assert.deepEqual(again.of(HERE).map(({ user, fingerprint }) => [user, fingerprint]), [['bob', KEY], ['eve', undefined]]);
    assert.match(again.of(HERE)[0]?.since ?? '', /^\d{4}-\d\d-\d\d$/u);
  });

  it('recognises by name, on that server, or by key, wherever', async () => {
    await list.add('bob', HERE, KEY);
    assert.deepEqual([list.has('bob', HERE), list.has('bob', HERE, OTHER), list.has('robert', 'elsewhere:1', KEY)], [true, true, true]);
    assert.deepEqual([list.has('bob', 'elsewhere:1'), list.has('carol', HERE, OTHER), list.has('carol', HERE)], [false, false, false]);
  });

  it('gives one who is taken out back, on that server only', async () => {
    await list.add('bob', HERE, undefined);
    await list.add('bob', 'elsewhere:1', undefined);
    assert.deepEqual([await list.remove('bob', HERE), await list.remove('bob', HERE)], [true, false]);
    assert.deepEqual([list.has('bob', HERE), list.has('bob', 'elsewhere:1')], [false, true]);
  });

  it('gives one back who is blocked by the key under another address of the server, and nobody else', async () => {
    await list.add('bob', 'localhost:9090', KEY);
    await list.add('robert', HERE, KEY);
    assert.equal(await list.remove('bob', HERE, OTHER), false);
    assert.equal(await list.remove('bob', HERE, KEY), true);
    assert.deepEqual([list.has('bob', 'localhost:9090'), list.has('robert', HERE)], [false, true]);
  });

  it('learns the key of one who was blocked by name, and keeps the first', async () => {
    for (const key of [undefined, KEY, OTHER]) await list.add('bob', HERE, key);
    assert.deepEqual(list.of(HERE).map(({ fingerprint }) => fingerprint), [KEY]);
  });

  it('keeps what another program of this person has added meanwhile', async () => {
    const other = new BlockList(path);
    await other.load();
    await other.add('eve', HERE, undefined);
    await Promise.all([list.add('bob', HERE, undefined), list.add('carol', HERE, undefined)]);
    assert.deepEqual(list.of(HERE).map(({ user }) => user), ['eve', 'bob', 'carol']);
  });

  it('refuses to work without a file that it can read: nobody is let in by mistake', async () => {
    await list.add('bob', HERE, undefined);
    for (const line of ['bob', 'bob@', '@here -', `bob@here ${KEY}x`, 'bob@here - 2026-01-01 more', 'bob@here']) {
      await writeFile(path, `# heading\n${line}\n`);
      await assert.rejects(new BlockList(path).load(), { code: 'bad-block-list', message: /Line 2 of .*Mend or delete it/u }, line);
      await assert.rejects(list.add('carol', HERE, undefined), { code: 'bad-block-list' }, line);
    }
    assert.ok(list.has('bob', HERE), 'what was known stays known');
    assert.equal(await readFile(path, 'utf8'), '# heading\nbob@here\n');
    await assert.rejects(new BlockList(folder).load(), { code: 'bad-block-list', message: /Cannot read/u });
  });

  it('has an end', async () => {
    await mkdir(join(folder, 'home'));
    await writeFile(path, Array.from({ length: clientLimits.blocked }, (_, n) => `user${n}@${HERE} -\n`).join(''));
    await assert.rejects(list.add('bob', HERE, undefined), { code: 'bad-argument', message: /UNBLOCK/u });
    await list.remove('user0', HERE);
    await list.add('bob', HERE, undefined);
  });
});
