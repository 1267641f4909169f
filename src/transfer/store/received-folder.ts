/**
 * Finished files as they are found in the received folder: where an entry would go, and which file there may be the same.
 *
 * Only looks, and never through a symbolic link. Which numbered name something got is found the same way in which
 * publisher.ts gives it, so that what is sent twice is recognised.
 */
import type { Stats } from 'node:fs';
import { transferLimits } from '../../protocol/limits.js';
import { numberedFileName } from '../../protocol/names.js';
import type { Disk } from './disk.js';

/** Files of one name that are compared: `name`, `name (1)`, … */
const MOST_COMPARED = 16;
/** Folders of which the place is remembered. */
const KEPT_PLACES = 1024;

export interface Candidate {
  readonly path: string;
  readonly stats: Stats;
}

export class ReceivedFolder {
  readonly #disk: Disk;
  readonly #root: string;
  /** By safe path from the root. */
  readonly #places = new Map<string, string | undefined>();

  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /** The folder at a safe path, or under the first numbered name that is one where others have the name; undefined where it is not there. */
  folderAt(safe: string): string | undefined {
    if (safe === '') return this.#disk.lstat(this.#root)?.isDirectory() === true ? this.#root : undefined;
    if (this.#places.has(safe)) return this.#places.get(safe);
    const slash = safe.lastIndexOf('/');
    const above = this.folderAt(slash < 0 ? '' : safe.slice(0, slash));
    const place = above === undefined ? undefined : this.#folderIn(above, safe.slice(slash + 1));
    if (this.#places.size >= KEPT_PLACES) this.#places.clear();
    this.#places.set(safe, place);
    return place;
  }

  /** Forgets what was seen: something may have changed. */
  lookAgain(): void {
    this.#places.clear();
  }

  /**
   * The file in `folder` (a path from {@link folderAt}) that is most likely what is sent: same name, numbered or not, same
   * size, and same time where there are several.
   */
  candidate(folder: string, name: string, size: number, modified: number | null): Candidate | undefined {
    let best: Candidate | undefined;
    for (let n = 0; n <= MOST_COMPARED; n += 1) {
      const path = `${folder}/${n === 0 ? name : numberedFileName(name, n)}`;
      const stats = this.#disk.lstat(path);
      if (stats === undefined) break;
      if (!stats.isFile() || stats.size !== size) continue;
      if (modified !== null && isSameTime(stats.mtimeMs, modified)) return { path, stats };
      best ??= { path, stats };
    }
    return best;
  }

  /** Whether anything has this name at the top. */
  has(name: string): boolean {
    return this.#disk.lstat(`${this.#root}/${name}`) !== undefined;
  }

  #folderIn(above: string, name: string): string | undefined {
    for (let n = 0; n <= transferLimits.collisionNames; n += 1) {
      const path = `${above}/${n === 0 ? name : numberedFileName(name, n)}`;
      const found = this.#disk.lstat(path);
      if (found === undefined) return undefined;
      if (found.isDirectory()) return path;
    }
    return undefined;
  }
}

/** Some file systems keep whole seconds, some what is finer than a millisecond. */
export function isSameTime(foundMs: number, listedMs: number): boolean {
  const apart = Math.abs(foundMs - listedMs);
  const wholeSecond = foundMs % 1000 === 0 || listedMs % 1000 === 0;
  return apart < (wholeSecond ? 1000 : 1);
}
