/** Files and folders whose content is told by a seed, and what has become of them elsewhere. */
import { execFile } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

/** Numbers from 0 to below 1 that a seed tells (mulberry32, Tommy Ettinger, public domain). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Of no pattern, so that a lost, repeated or moved piece is found. */
  bytes(count: number): Buffer {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(this.between(0, 0xffff_ffff));
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(count));
  }
}

export function seededFile(path: string, bytes: number, random: Random): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, random.bytes(bytes), { flag: 'wx' });
  return path;
}

/** `files` files of mixed sizes in some levels of folders, empty files and folders among them. @returns Bytes in all. */
export function seededFolder(path: string, files: number, random: Random): number {
  let total = 0;
  for (let index = 0; index < files; index += 1) {
    const kind = random.next();
    const bytes = kind < 0.05 ? 0 : kind < 0.97 ? random.between(1, 64 * 1024) : random.between(512 * 1024, 3 * 1024 * 1024);
    const folders = ['', 'a', 'a/b', 'c d', 'c d/\u00e9', 'deep/er/and/deeper'];
    seededFile(join(path, folders[index % folders.length] ?? '', `file ${index}.bin`), bytes, random);
    total += bytes;
  }
  mkdirSync(join(path, 'empty/inside'), { recursive: true });
  return total;
}

/** Paths of all regular files below `folder`, relative; none where it is missing. */
export function filesBelow(folder: string): string[] {
  const all = readdirSync(folder, { withFileTypes: true, recursive: true });
  return all.filter((one) => one.isFile()).map((one) => relative(folder, join(one.parentPath, one.name)));
}

export function sameBytes(one: string, other: string): boolean {
  return statSync(one).size === statSync(other).size && readFileSync(one).equals(readFileSync(other));
}

/** @throws Error with what `diff -r` printed where the two differ. */
export async function diffFolders(one: string, other: string): Promise<void> {
  try {
    await promisify(execFile)('diff', ['-r', '--no-dereference', one, other], { maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    throw new Error(`${one} and ${other} differ: ${stdout.slice(0, 2000)}`, { cause: error });
  }
}
