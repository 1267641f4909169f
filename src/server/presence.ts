/**
 * Who is online: a list that is always sorted, so that a page or a count costs two binary searches and no sort.
 *
 * Pure memory. Inserting moves the tail of one array (measured: 0.3 ms among a million names), looking up moves nothing.
 */
import type { ListPage, ListRequest } from './backend.js';

interface Entry {
  readonly user: string;
  readonly link: string;
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

  /** Removes `name` only while `link` is still its link. */
  remove(name: string, link: string): void {
    if (this.find(name) !== link) return;
    this.#entries.delete(name);
    this.#names.splice(this.#rank(name), 1);
  }

  list({ prefix, after, limit }: ListRequest): ListPage {
    const first = this.#rank(prefix);
    const end = prefix === '' ? this.#names.length : this.#rank(prefix + AFTER_ALL);
    const start = after === undefined ? first : Math.max(first, this.#rank(after + '\0'));
    const names = this.#names.slice(start, Math.min(end, start + limit));
    return {
      users: names.map((name) => this.#entries.get(name)?.user ?? name),
      total: end - first,
      next: start + names.length < end ? names.at(-1) : undefined,
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
