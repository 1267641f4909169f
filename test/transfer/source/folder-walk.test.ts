/** The walk over a folder that is sent: its order, what it leaves out, and folders that change under it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { transferLimits } from '../../../src/protocol/limits.js';
import { walkFolder } from '../../../src/transfer/source/folder-walk.js';
import { systemSourceFs, type SourceFs } from '../../../src/transfer/source/source-fs.js';
import { disk, systemError } from './sent-frames.js';

const roots: string[] = [];
after(() => roots.forEach((root) => rmSync(root, { recursive: true, force: true })));

/** A folder with these files; a path that ends with `/` is an empty folder. */
function tree(...paths: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'p2p-walk-'));
  roots.push(root);
  for (const path of paths) {
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(root, path), path);
  }
  return root;
}

function walk(root: string, fs: SourceFs = systemSourceFs): { found: string[]; skipped: string[] } {
  const skipped: string[] = [];
  const found: string[] = [];
  let folder = '';
  for (const one of walkFolder(root, fs, (path, reason) => skipped.push(`${path}: ${reason}`))) {
    if (one.kind === 'folder') found.push((folder = `${one.names.join('/')}/`));
    if (one.kind === 'file') {
      assert.equal(folder + one.name, one.shown);
      found.push(one.shown);
    }
  }
  return { found, skipped: skipped.sort() };
}

describe('a walk', () => {
  it('finds the files of a folder by name, then its folders one after the other', () => {
    const root = tree('b', 'a', 'Z', 'd/2', 'd/1', 'c/x/y', 'c/z', 'c/x/a');
    assert.deepEqual(walk(root).found, ['Z', 'a', 'b', 'c/', 'c/z', 'c/x/', 'c/x/a', 'c/x/y', 'd/', 'd/1', 'd/2']);
  });

  it('lists empty folders, hidden ones, and names with spaces and Unicode', () => {
    const root = tree('leer/', '.git/config', 'a b/c  d', 'mañana/日本語 😀.txt', 'cafe\u0301', 'caf\u00E9');
    const { found, skipped } = walk(root);
    assert.deepEqual(found, ['cafe\u0301', 'caf\u00E9', '.git/', '.git/config', 'a b/', 'a b/c  d', 'leer/', 'mañana/', 'mañana/日本語 😀.txt']);
    assert.deepEqual(skipped, []);
  });

  it('finds the same in the same order again', () => {
    const root = tree(...Array.from({ length: 700 }, (_, i) => `${i % 7}/${(i * 7919) % 700}`));
    assert.deepEqual(walk(root).found, walk(root).found);
    assert.equal(walk(root).found.length, 707);
  });

  it('tells size and time as the system has them', () => {
    const root = tree('file');
    const [one] = [...walkFolder(root, systemSourceFs, () => undefined)];
    const { size, mtimeMs } = systemSourceFs.stat(join(root, 'file'));
    assert.deepEqual(one, { kind: 'file', path: join(root, 'file'), shown: 'file', name: 'file', size, mtimeMs });
  });
});

describe('left out with a reason', () => {
  it('are symbolic links, pipes and sockets, and no link is followed', async () => {
    const root = tree('dir/file', 'sub/');
    symlinkSync(join(root, 'dir'), join(root, 'sub', 'to-folder'));
    symlinkSync('/etc/passwd', join(root, 'to-file'));
    symlinkSync('/nowhere', join(root, 'to-nothing'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'sock'), resolve));
    const { found, skipped } = walk(root);
    server.close();
    assert.deepEqual(found, ['dir/', 'dir/file', 'sub/']);
    assert.deepEqual(skipped, ['pipe: a named pipe', 'sock: a socket', 'sub/to-folder: a symbolic link', 'to-file: a symbolic link', 'to-nothing: a symbolic link']);
  });

  it('are names that are not UTF-8, even beside one that looks the same', () => {
    const root = tree('x\u{FFFD}', 'good');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/x`), Buffer.from([0xff])]), 'other');
    mkdirSync(Buffer.concat([Buffer.from(`${root}/dir`), Buffer.from([0xc3])]));
    const { found, skipped } = walk(root);
    assert.deepEqual(found, ['good', 'x\u{FFFD}']);
    assert.deepEqual(skipped, ['dir\u{FFFD}: a name that is not UTF-8', 'x\u{FFFD}: a name that is not UTF-8']);
  });

  it('are folders that cannot be opened, with everything in them', () => {
    const root = tree('a/file', 'b/file');
    const fs = disk({
      openFolder: (path) => {
        if (path.endsWith('/a')) throw systemError('EACCES');
        return systemSourceFs.openFolder(path);
      },
    });
    assert.deepEqual(walk(root, fs), { found: ['b/', 'b/file'], skipped: ['a: permission denied'] });
  });

  it('are folders that fail while they are read, and each is closed', () => {
    const root = tree('a/file', 'b/file');
    let open = 0;
    const fs = disk({
      openFolder: (path) => {
        const real = systemSourceFs.openFolder(path);
        open += 1;
        const readSync = () => {
          if (path.endsWith('/a')) throw systemError('EIO');
          return real.readSync();
        };
        return { readSync, closeSync: () => (real.closeSync(), void (open -= 1)) };
      },
    });
    assert.deepEqual(walk(root, fs), { found: ['b/', 'b/file'], skipped: ['a: it cannot be read (EIO)'] });
    assert.equal(open, 0);
  });

  it('are files at which the system will not let one look', () => {
    const root = tree('a', 'b', 'c', 'd');
    const fs = disk({
      lstat: (path) => {
        if (path.endsWith('/a')) throw systemError('EIO');
        if (path.endsWith('/b')) throw systemError('ENOENT');
        if (path.endsWith('/c')) throw systemError('EPERM');
        return systemSourceFs.lstat(path);
      },
    });
    assert.deepEqual(walk(root, fs), { found: ['d'], skipped: ['a: it cannot be read (EIO)', 'b: it is gone', 'c: permission denied'] });
  });

  it('are folders that are too deep, and paths that are too long', () => {
    const deep = tree(`${'d/'.repeat(transferLimits.folderDepth + 1)}file`);
    const { found, skipped } = walk(deep);
    assert.equal(found.length, transferLimits.folderDepth);
    assert.deepEqual(skipped, [`${'d/'.repeat(transferLimits.folderDepth)}d: more than ${transferLimits.folderDepth} folders deep`]);

    const name = 'n'.repeat(250);
    const long = tree(`${`${name}/`.repeat(8)}short`, `${`${name}/`.repeat(8)}${'x'.repeat(41)}`);
    assert.deepEqual(walk(long).skipped.map((line) => line.slice(-34)), [': a path longer than 2048 bytes'.padStart(34, 'x')]);
    assert.ok(walk(long).found.at(-1)?.endsWith('/short'));
  });

  it('is everything beyond the number of entries that may be listed', () => {
    const root = tree('file');
    const [file, folder] = [systemSourceFs.lstat(join(root, 'file')), systemSourceFs.lstat(root)];
    // A folder without end, each of whose files and folders is there.
    let read = 0;
    const endless = { isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false, isSocket: () => false, isFIFO: () => false, isBlockDevice: () => false, isCharacterDevice: () => false };
    const fs = disk({
      openFolder: () => ({ readSync: () => ({ ...endless, name: `f${read++}` }), closeSync: () => undefined }),
      lstat: (path) => (path === root ? folder : file),
    });
    let entries = 0;
    const skipped: string[] = [];
    for (const one of walkFolder(root, fs, (path, reason) => skipped.push(`${path}: ${reason}`))) if (one.kind === 'file') entries += 1;
    assert.equal(entries, transferLimits.folderEntries);
    assert.deepEqual(skipped, [`: everything after the first ${transferLimits.folderEntries} files and folders`]);
    assert.ok(read <= transferLimits.folderEntries + 1, 'names beyond the limit were read');
  });
});

describe('names that a receiver refuses', () => {
  it('are told with _ for \\ and :, and never become the same', () => {
    const root = tree('a:b', 'a_b', 'c\\d/x', 'c:d/y', 'e:f.txt');
    assert.deepEqual(walk(root).found, ['a_b (1)', 'a_b', 'e_f.txt', 'c_d/', 'c_d/y', 'c_d (1)/', 'c_d (1)/x']);
    const paths = [...walkFolder(root, systemSourceFs, () => undefined)].flatMap((one) => (one.kind === 'file' ? [one.path.slice(root.length + 1)] : []));
    assert.deepEqual(paths, ['a:b', 'a_b', 'e:f.txt', 'c:d/y', 'c\\d/x']);
  });
});

describe('a folder that changes during the walk', () => {
  it('is left out where it is gone, or has become something else', () => {
    const root = tree('a', 'gone', 'swapped', 'x/inside', 'y/inside', 'z/inside');
    const { found, skipped } = (() => {
      const lines = { found: [] as string[], skipped: [] as string[] };
      for (const one of walkFolder(root, systemSourceFs, (path, reason) => lines.skipped.push(`${path}: ${reason}`))) {
        if (one.kind === 'pause') continue;
        lines.found.push(one.kind === 'file' ? one.shown : `${one.names.join('/')}/`);
        if (lines.found.length > 1) continue;
        for (const path of ['gone', 'swapped', 'x', 'y']) rmSync(join(root, path), { recursive: true });
        symlinkSync('/etc/passwd', join(root, 'swapped'));
        symlinkSync('/etc', join(root, 'y'));
      }
      return lines;
    })();
    assert.deepEqual(found, ['a', 'z/', 'z/inside']);
    assert.deepEqual(skipped, ['gone: it is gone', 'swapped: a symbolic link', 'x: it is gone', 'y: a symbolic link']);
  });

  it('fails where it is itself gone', () => {
    assert.throws(() => walk('/nowhere/at/all'), { code: 'ENOENT' });
  });
});
