/** What is sent: its bytes, the same in every run and incompressible where it matters, and the check of what was received. */
import { createCipheriv, createHash } from 'node:crypto';
import type { Cipher } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface Load {
  readonly kind: 'file' | 'folder';
  readonly path: string;
  /** Of all files. */
  readonly bytes: number;
  readonly files: number;
  /** @throws Error when what is at `path` is not what was sent. */
  check(path: string): Promise<void>;
}

export interface FolderShape {
  readonly path: string;
  readonly files: number;
  /** How many to a folder, so that there are folders too. */
  readonly filesPerFolder: number;
  /** Of the file with this number. */
  readonly bytesOf: (file: number) => number;
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/** A file of random bytes; afterwards it is in the page cache and on the disk. */
export async function sampleFile(path: string, bytes: number): Promise<Load> {
  const stream = keyStream();
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    const zeros = Buffer.alloc(CHUNK_BYTES);
    for (let written = 0; written < bytes; written += CHUNK_BYTES) {
      const chunk = stream.update(zeros.subarray(0, Math.min(CHUNK_BYTES, bytes - written)));
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return fileLoad(path, bytes, hash.digest('hex'));
}

/** A file of zeros that takes no room at the sender: for sizes at which only memory is of interest. */
export async function sparseFile(path: string, bytes: number): Promise<Load> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  return fileLoad(path, bytes, await hashOfFile(path));
}

/** A folder of folders of files of random bytes. */
export function sampleFolder({ path, files, filesPerFolder, bytesOf }: FolderShape): Load {
  const stream = keyStream();
  let bytes = 0;
  mkdirSync(path);
  for (let file = 0; file < files; file += 1) {
    const folder = join(path, `folder-${Math.floor(file / filesPerFolder)}`);
    if (file % filesPerFolder === 0) mkdirSync(folder);
    const size = bytesOf(file);
    writeFileSync(join(folder, `file-${file}.dat`), stream.update(Buffer.alloc(size)));
    bytes += size;
  }
  const wanted = hashOfFolder(path);
  const check = (received: string): Promise<void> =>
    hashOfFolder(received) === wanted ? Promise.resolve() : Promise.reject(new Error(`received other files than were sent: see ${basename(received)}`));
  return { kind: 'folder', path, bytes, files, check };
}

function fileLoad(path: string, bytes: number, sha256: string): Load {
  const check = async (received: string): Promise<void> => {
    const { size } = await stat(received);
    if (size !== bytes) throw new Error(`received ${size} bytes of ${bytes}`);
    if ((await hashOfFile(received)) !== sha256) throw new Error('received other bytes than were sent');
  };
  return { kind: 'file', path, bytes, files: 1, check };
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Over the names, sizes and bytes of everything in it. */
function hashOfFolder(path: string): string {
  const hash = createHash('sha256');
  const add = (folder: string, name: string): void => {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const full = join(folder, entry.name);
      const relative = `${name}/${entry.name}`;
      if (entry.isDirectory()) {
        hash.update(`d\0${relative}\0`);
        add(full, relative);
      } else {
        const content = readFileSync(full);
        hash.update(`f\0${relative}\0${content.length}\0`).update(content);
      }
    }
  };
  add(path, '');
  return hash.digest('hex');
}

function keyStream(): Cipher {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 0x70), Buffer.alloc(16));
}
