/**
 * The names in a folder that is received: whether the list keeps the order of PROTOCOL.md 7.5.1, and the safe name of each
 * entry (7.6), told apart from those that become the same.
 *
 * Owns what must be remembered of a list of any order: a number for each path, not the path, so that half a million entries
 * cost some 30 MB. Two paths of one number (one pair in 10^5 such lists, or made on purpose) get `name (1)` or fail the
 * transfer, never more. Asks no disk.
 */
import { transferLimits } from '../../protocol/limits.js';
import { numberedFileName, safeFileName } from '../../protocol/names.js';
import { TransferFailure } from '../failure.js';

/** A folder of the list; one object for it and all of its files. */
export interface EntryFolder {
  /** As listed, with `/` between names; empty for the offered folder. */
  readonly raw: string;
  /** Under safe names; undefined where it is not taken. */
  readonly safe: string | undefined;
  /** Of the folder itself, milliseconds since 1970. */
  readonly modified: number | undefined;
}

/** A name that was chosen. */
export interface NamedEntry {
  readonly safe: string | undefined;
  /** For people: why the name is another, or why there is none. */
  readonly note?: string;
}

export class EntryNames {
  readonly #foldsCase: boolean;
  /** Paths of folders as listed. */
  readonly #listed = new Set<number>();
  /** Paths of all entries, safe and folded: no two are the same. */
  readonly #taken = new Set<number>();
  /** Where two became the same: the last number given, by folded path. Only saves looking from 1 on. */
  readonly #numbers = new Map<number, number>();
  /** Folders whose last name is not the safe form of what was listed: number by listed path, -1 where they are not taken. */
  readonly #special = new Map<number, number>();

  /** @param foldsCase whether the file system takes `A` and `a` for one name. */
  constructor(foldsCase: boolean) {
    this.#foldsCase = foldsCase;
    this.#listed.add(listedNumber([]));
  }

  /**
   * Takes a folder of the list.
   *
   * @throws TransferFailure `bad-listing` when its parent was not listed before, it was, or its path is too long.
   */
  folder(names: readonly string[]): NamedEntry {
    const raw = names.join('/');
    checkPath(raw);
    if (names.length === 0 || names.length > transferLimits.folderDepth) throw badListing('a folder within too many others');
    const parent = names.slice(0, -1);
    const key = listedNumber(names);
    if (!this.#listed.has(listedNumber(parent))) throw badListing('a folder before the one that it is in');
    if (this.#listed.has(key)) throw badListing('a folder twice');
    this.#listed.add(key);
    const above = this.safePath(parent);
    const found: NamedEntry = above === undefined ? { safe: undefined } : this.#name(above, names.at(-1) ?? '');
    if (found.safe === undefined) this.#special.set(key, -1);
    else if (found.note !== undefined) this.#special.set(key, this.#numbers.get(this.#folded(above ?? '', plain(names.at(-1) ?? ''))) ?? 0);
    return found;
  }

  /** Takes a file of the list. @throws TransferFailure `bad-listing` when its path is too long. */
  file(folder: EntryFolder, name: string): NamedEntry {
    checkPath(joined(folder.raw, name));
    return folder.safe === undefined ? { safe: undefined } : this.#name(folder.safe, name);
  }

  /** Forgets an entry: the list goes on in front of it. `names`: of a folder, as listed. */
  forget(safe: string | undefined, names?: readonly string[]): void {
    if (safe !== undefined) this.#taken.delete(this.#number(safe));
    this.#numbers.clear();
    if (names === undefined) return;
    const key = listedNumber(names);
    this.#listed.delete(key);
    this.#special.delete(key);
  }

  /** Takes a folder of the list, and nothing that is in it. */
  refuse(names: readonly string[]): void {
    const key = listedNumber(names);
    this.#listed.add(key);
    this.#special.set(key, -1);
  }

  /** The safe path of a listed folder; undefined where it is not taken. */
  safePath(names: readonly string[]): string | undefined {
    if (this.#special.size === 0) return names.map(plain).join('/');
    let safe = '';
    for (const [n, name] of names.entries()) {
      const number = this.#special.get(listedNumber(names.slice(0, n + 1))) ?? 0;
      if (number < 0) return undefined;
      safe = joined(safe, number === 0 ? plain(name) : numberedFileName(plain(name), number));
    }
    return safe;
  }

  /** Whether an entry of this safe path is on the list. */
  has(safe: string): boolean {
    return this.#taken.has(this.#number(safe));
  }

  #name(above: string, name: string): NamedEntry {
    const safe = safeFileName(name, 'inside');
    if (safe === undefined) return { safe: undefined, note: 'has a name that cannot be used' };
    const path = joined(above, safe);
    const key = this.#number(path);
    if (!this.#taken.has(key)) {
      this.#taken.add(key);
      return { safe: path };
    }
    for (let n = (this.#numbers.get(key) ?? 0) + 1; n <= transferLimits.collisionNames; n += 1) {
      const numbered = joined(above, numberedFileName(safe, n));
      if (this.#taken.has(this.#number(numbered))) continue;
      this.#taken.add(this.#number(numbered));
      this.#numbers.set(key, n);
      return { safe: numbered, note: `is stored as ${numberedFileName(safe, n)}, since another has its name` };
    }
    return { safe: undefined, note: 'has the name of too many others' };
  }

  #folded(above: string, safe: string): number {
    return this.#number(joined(above, safe));
  }

  #number(safe: string): number {
    // Upper case first: `ß` and `ss`, `ſ` and `s` are one name to file systems that fold.
    return pathNumber(this.#foldsCase ? safe.toUpperCase().toLowerCase() : safe);
  }
}

export function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

export function badListing(what: string): TransferFailure {
  return new TransferFailure('bad-listing', `The sender listed ${what}.`);
}

/** The safe name of one that was found to have one. */
function plain(name: string): string {
  return safeFileName(name, 'inside') ?? '';
}

function checkPath(path: string): void {
  if (path.length > transferLimits.pathBytes || Buffer.byteLength(path) > transferLimits.pathBytes) throw badListing('a path that is too long');
}

/** For the path of a folder as it is listed: an empty name is one too. */
function listedNumber(names: readonly string[]): number {
  return pathNumber(names.map((name) => `/${name}`).join(''));
}

/** 53 bits of a path (cyrb53, public domain): quick, and even enough for half a million paths. */
export function pathNumber(path: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < path.length; at += 1) {
    const unit = path.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 2 ** 32 * (low & 0x1fffff) + (high >>> 0);
}
