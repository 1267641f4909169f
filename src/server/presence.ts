/**
 * Who is online: a list that is always sorted, so that a page or a count costs two binary searches and no sort.
 *
 * Pure memory. Inserting moves the tail of one array (measured: 0.3 ms among a million names), looking up moves nothing.
 */
import type { ListPage, ListRequest, Present } from './backend.js';

interface Entry {
  readonly user: string;
  readonly link: string;
  /** What this account says about being away. */
  readonly away?: string | undefined;
}

/** Sorts after every character that a user name can hold. */
const AFTER_ALL = '\u{7f}';

export class Presence {
  /** Canonical names, sorted by code unit, which for ASCII is the order of PROTOCOL.md 5.5. */
  readonly #names: string[] = [];
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#names.length;
  }

  /** The link of `name` (canonical), or undefined. */
  find(name: string): string | undefined {
    return this.#entries.get(name)?.link;
  }

  /** Returns the link that was displaced, if any. */
  put(name: string, entry: Entry): string | undefined {
    const old = this.#entries.get(name);
    if (old === undefined) this.#names.splice(this.#rank(name), 0, name);
    this.#entries.set(name, entry);
    return old?.link;
  }

  /** Whether `name` is there, and away. */
  present(name: string): Present | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : { user: entry.user, away: entry.away };
  }

  /** Only while `link` is still the link of `name`. @returns the account's spelling where that was so. */
  setAway(name: string, link: string, away: string | undefined): string | undefined {
    const entry = this.#entries.get(name);
    if (entry?.link !== link) return undefined;
    this.#entries.set(name, { ...entry, away });
    return entry.user;
  }

  /** Removes `name` only while `link` is still its link. @returns the account's spelling where that was so. */
  remove(name: string, link: string): string | undefined {
    const entry = this.#entries.get(name);
    if (entry?.link !== link) return undefined;
    this.#entries.delete(name);
    this.#names.splice(this.#rank(name), 1);
    return entry.user;
  }

  list({ prefix, after, limit }: ListRequest): ListPage {
    const first = this.#rank(prefix);
    const end = prefix === '' ? this.#names.length : this.#rank(prefix + AFTER_ALL);
    const start = after === undefined ? first : Math.max(first, this.#rank(after + '\0'));
    const names = this.#names.slice(start, Math.min(end, start + limit));
    const away = names.flatMap((name) => {
      const entry = this.#entries.get(name);
      return entry?.away === undefined ? [] : [{ user: entry.user, text: entry.away }];
    });
    return {
      users: names.map((name) => this.#entries.get(name)?.user ?? name),
      total: end - first,
      next: start + names.length < end ? names.at(-1) : undefined,
      ...(away.length === 0 ? {} : { away }),
    };
  }

  /** Number of names that sort before `text`. */
  #rank(text: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
