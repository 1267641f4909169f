/** What is remembered of the last login is a convenience: whatever lies in its place, the program goes on without it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readLastServer, writeLastServer } from '../../src/terminal/last-server.js';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'last-server-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('the last server', () => {
  it('is there again, for nobody else to read', async (t) => {
    const home = await folder(t);
    await writeLastServer(home, { host: '::1', port: 9090, user: 'alice' });
    assert.deepEqual(await readLastServer(home), { host: '::1', port: 9090, user: 'alice' });
    assert.equal((await stat(join(home, 'last-server.json'))).mode & 0o777, 0o600);
  });

  it('is none where the file is missing or damaged', async (t) => {
    const home = await folder(t);
    assert.equal(await readLastServer(home), undefined);
    for (const text of ['', '{', '{"host":"a b","port":1,"user":"alice"}', '{"host":"a","port":0,"user":"alice"}', `{"host":"a","port":1,"user":"\\u001b"}`, '['.repeat(60_000)]) {
      await writeFile(join(home, 'last-server.json'), text);
      assert.equal(await readLastServer(home), undefined, text.slice(0, 60));
    }
  });

  it('does not wait for a pipe in its place', { skip: process.platform === 'win32', timeout: 5_000 }, async (t) => {
    const home = await folder(t);
    assert.equal(spawnSync('mkfifo', [join(home, 'last-server.json')]).status, 0);
    assert.equal(await readLastServer(home), undefined);
  });
});
