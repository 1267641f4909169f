/**
 * When npm builds by itself. `npx p2p-client` in a clone lets npm prepare the package once more; were everything built
 * again then, dist/ would be gone for a while under the server that runs from it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../helpers/test-client.js';

const run = promisify(execFile);
const { scripts } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { scripts: { prepare: string } };

const SOURCES = ['src/a.ts', 'test/b.ts', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** A package in which everything is of 1970 but what was built. */
async function builtPackage(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of ['src', 'test', 'dist', 'bin']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'bin/npm'), '#!/bin/sh\necho "npm $*"\n', { mode: 0o755 });
  for (const name of [...SOURCES, 'dist/built']) await writeFile(join(folder, name), '');
  for (const name of [...SOURCES, 'src', 'test']) await utimes(join(folder, name), 1, 1);
  return folder;
}

/** What prepare runs. */
async function prepared(folder: string): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-c', scripts.prepare], { cwd: folder, env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` } });
  return stdout.trim();
}

describe('preparing the package', () => {
  it('builds nothing where nothing has changed since', async (t) => assert.equal(await prepared(await builtPackage(t)), ''));

  for (const changed of [...SOURCES, 'src']) {
    it(`builds where ${changed} is newer`, async (t) => {
      const folder = await builtPackage(t);
      await utimes(join(folder, 'dist/built'), 2, 2);
      await utimes(join(folder, changed), 3, 3);
      assert.equal(await prepared(folder), 'npm run build');
    });
  }

  it('builds what was never built', async (t) => {
    const folder = await builtPackage(t);
    await run('rm', ['-r', join(folder, 'dist')]);
    assert.equal(await prepared(folder), 'npm run build');
  });
});
