/**
 * The received folder and the folder of partials, as the thread of the disk sees them.
 *
 * Owns which folder partials lie in, what can be said before a transfer is taken, and leftovers. A transfer that was taken is
 * an IncomingPlace.
 */
import { dirname, join } from 'node:path';
import { debuglog } from 'node:util';
import { systemCode } from '../../protocol/errors.js';
import { timeLimits } from '../../protocol/limits.js';
import { systemDisk, type Disk } from './disk.js';
import { EntryNames, type EntryFolder } from './entry-names.js';
import { TransferFailure, writeFailure } from '../failure.js';
import { ensureFolder } from './folder-handle.js';
import { IncomingPlace } from './incoming-place.js';
import { PartialFolder, visitIdle, visitPartialOf } from './partial-folder.js';
import { isSameTime, ReceivedFolder } from './received-folder.js';
import type { Listing } from '../source/source.js';
import type { Steps } from './steps.js';
import type { Leftover, Outlook, StoredEvents, Wanted } from './store.js';
import { measureTree, removeTree } from './tree-walk.js';

const debug = debuglog('p2p-transfer');

/** Partials of earlier versions, which cannot be continued. */
const OLD_PARTIAL = /^[0-9a-f]{32}\.part$/u;
const OLD_PARTIAL_MS = 24 * 60 * 60 * 1000;
/** Where partials lie when the received folder is on another file system, from which nothing can be moved. No offer can have this name. */
const NEAR_PARTIAL = '.p2p-chat-partial';
/** Offers whose lists are compared at the same time. */
const MOST_SURVEYS = 64;

export interface StoreDiskOptions {
  /** Folder of finished files, absolute; made with mode 0700 when first needed. */
  readonly received: string;
  /** Folder of partials, absolute, private to this program. */
  readonly partial: string;
}

interface Survey {
  readonly names: EntryNames;
  folder: EntryFolder;
}

const TOP: EntryFolder = { raw: '', safe: '', modified: undefined };

export class StoreDisk {
  readonly #options: StoreDiskOptions;
  readonly #disk: Disk;
  readonly #nowMs: () => number;
  readonly #received: ReceivedFolder;
  readonly #surveys = new Map<string, Survey>();

  constructor(options: StoreDiskOptions, disk: Disk = systemDisk, nowMs: () => number = Date.now) {
    this.#options = options;
    this.#disk = disk;
    this.#nowMs = nowMs;
    this.#received = new ReceivedFolder(disk, options.received);
  }

  /** See `Store.outlook`. */
  *outlook(wanted: Wanted): Steps<Outlook> {
    const { name, kind, size, modified } = wanted;
    let partial = 0;
    for (const root of this.#roots()) {
      yield* visitPartialOf(this.#disk, root, wanted, (found) => measured(this.#disk, found.content, (bytes) => (partial ||= bytes)));
    }
    this.#received.lookAgain();
    const top = this.#received.folderAt('');
    const candidate = top === undefined || kind === 'folder' || size === null ? undefined : this.#received.candidate(top, name, size, modified);
    const same = candidate !== undefined && modified !== null && isSameTime(candidate.stats.mtimeMs, modified);
    return { free: this.#free(), exists: top !== undefined && this.#received.has(name), same, partial };
  }

  /** See `Store.sameEntries`. */
  *sameEntries(wanted: Wanted, { first, entries, last }: Listing): Steps<{ files: number; bytes: number }> {
    const found = { files: 0, bytes: 0 };
    const key = `${wanted.fingerprint}\0${wanted.name}`;
    const survey = first === 0 ? { names: new EntryNames(false), folder: TOP } : this.#surveys.get(key);
    if (survey === undefined) return found;
    this.#surveys.delete(key);
    if (first === 0) this.#received.lookAgain();
    try {
      for (const entry of entries) {
        if ('folder' in entry) survey.folder = { raw: entry.folder.join('/'), safe: survey.names.folder(entry.folder).safe, modified: undefined };
        else if (this.#isThere(wanted.name, survey, entry)) {
          found.files += 1;
          found.bytes += entry.size;
        }
        if (found.files % 128 === 127) yield;
      }
    } catch (error) {
      // A list that breaks the rules is refused when the offer is taken.
      if (error instanceof TransferFailure) return found;
      throw error;
    }
    if (!last) this.#surveys.set(key, survey);
    for (const oldest of this.#surveys.keys()) if (this.#surveys.size > MOST_SURVEYS) this.#surveys.delete(oldest);
    return found;
  }

  /** See `Store.open`. @throws TransferFailure. */
  open(wanted: Wanted, events: StoredEvents): IncomingPlace {
    const disk = this.#disk;
    const { received } = this.#options;
    try {
      const partial = PartialFolder.open(disk, this.#rootFor(), wanted, this.#nowMs());
      try {
        return new IncomingPlace({ disk, partial, received, wanted, events, nowMs: this.#nowMs });
      } catch (error) {
        partial.close();
        throw error;
      }
    } catch (error) {
      throw writeFailure(error);
    }
  }

  /** See `Store.leftovers`. */
  *leftovers(): Steps<readonly Leftover[]> {
    const found: Leftover[] = [];
    const disk = this.#disk;
    for (const root of this.#roots()) {
      yield* visitIdle(disk, root, function* ({ about, content, lastMs }) {
        if (about === undefined || disk.lstat(content) === undefined) return;
        const { peer, kind, name, size } = about;
        const bytes = yield* measureTree(disk, content);
        found.push({ peer, kind, name, size, bytes, lastMs, removedMs: lastMs + timeLimits.partialKeptMs });
      });
    }
    return found;
  }

  /** See `Store.removeLeftovers`. */
  *removeLeftovers(nowMs: number): Steps<void> {
    const disk = this.#disk;
    for (const root of this.#roots()) {
      yield* visitIdle(disk, root, function* ({ lastMs, remove }) {
        if (nowMs - lastMs > timeLimits.partialKeptMs) yield* staying(remove());
      });
      yield* staying(this.#removeOld(root, nowMs));
    }
  }

  *#removeOld(root: string, nowMs: number): Steps<void> {
    if (this.#disk.lstat(root)?.isDirectory() !== true) return;
    for (const { name } of this.#disk.readdir(root)) {
      if (!OLD_PARTIAL.test(name)) continue;
      const found = this.#disk.lstat(join(root, name));
      if (found?.isFile() === true && nowMs - found.mtimeMs > OLD_PARTIAL_MS) yield* removeTree(this.#disk, join(root, name));
    }
  }

  #roots(): readonly string[] {
    return [this.#options.partial, join(this.#options.received, NEAR_PARTIAL)];
  }

  /** Final names are given by moving, which works within one file system only. */
  #rootFor(): string {
    const { received, partial } = this.#options;
    const [near, far] = [ensureFolder(this.#disk, received), ensureFolder(this.#disk, partial)];
    return near.dev === far.dev ? partial : join(received, NEAR_PARTIAL);
  }

  #free(): number | undefined {
    for (let path = this.#options.received; ; path = dirname(path)) {
      try {
        const { bavail, bsize } = this.#disk.statfs(path);
        return bavail * bsize;
      } catch (error) {
        if (systemCode(error) === undefined) throw error;
        if (systemCode(error) !== 'ENOENT' || dirname(path) === path) return undefined;
      }
    }
  }

  #isThere(top: string, { names, folder }: Survey, { name, size, modified }: { name: string; size: number; modified: number }): boolean {
    const { safe } = names.file(folder, name);
    if (safe === undefined) return false;
    const path = `${top}/${safe}`;
    const slash = path.lastIndexOf('/');
    const place = this.#received.folderAt(path.slice(0, slash));
    const candidate = place === undefined ? undefined : this.#received.candidate(place, path.slice(slash + 1), size, modified);
    return candidate !== undefined && isSameTime(candidate.stats.mtimeMs, modified);
  }
}

function* measured(disk: Disk, content: string, done: (bytes: number) => void): Steps<void> {
  done(yield* measureTree(disk, content));
}

/** What cannot be removed stays. */
function* staying(steps: Steps<void>): Steps<void> {
  try {
    yield* steps;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    debug('leftover stays: %s', systemCode(error));
  }
}
