/**
 * Where received files are kept: partials in a private folder, finished files in `received`.
 *
 * Owns nothing but the way to the thread that does it (store-thread.ts): numbers for transfers and blocks, and how long the
 * disk has been at work. The rules of paths, names and hashes are on the other side.
 */
import type { Listing, Plan } from '../source/source.js';
import type { StoreDiskOptions } from './store-disk.js';
import type { Incoming, Leftover, Outlook, Store, Stored, StoredEvents, Wanted, Written } from './store.js';
import { StoreThread, type Reached, type StoreCall, type StoreCalls } from './store-thread.js';

export type ReceiveStoreOptions = StoreDiskOptions;

export class ReceiveStore implements Store {
  readonly #thread: StoreThread;
  #lastPlace = 0;

  constructor(options: ReceiveStoreOptions) {
    this.#thread = new StoreThread(options);
  }

  outlook(wanted: Wanted): Promise<Outlook> {
    return this.#thread.ask('outlook', { wanted });
  }

  sameEntries(wanted: Wanted, listing: Listing): Promise<{ readonly files: number; readonly bytes: number }> {
    return this.#thread.ask('sameEntries', { wanted, listing });
  }

  async open(wanted: Wanted, events: StoredEvents): Promise<Incoming> {
    const place = (this.#lastPlace += 1);
    this.#thread.onNote(place, (path, note) => events.onNote(path, note));
    try {
      await this.#thread.ask('open', { place, wanted });
    } catch (error) {
      this.#thread.onNote(place, undefined);
      throw error;
    }
    return new ThreadedIncoming(this.#thread, place);
  }

  leftovers(): Promise<readonly Leftover[]> {
    return this.#thread.ask('leftovers', {});
  }

  removeLeftovers(nowMs: number): Promise<void> {
    return this.#thread.ask('removeLeftovers', { nowMs });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

class ThreadedIncoming implements Incoming {
  readonly #thread: StoreThread;
  readonly #place: number;
  /** Blocks of all links, and those that must be written again because the disk was full. */
  #nextTurn = 0;
  readonly #again = new Map<Buffer, number>();
  #reached: Reached = { ended: 0, settled: undefined };
  /** Calls under way, and since when the first of them is at work. */
  #calls = 0;
  #since = 0;
  #state: 'open' | 'closed' = 'open';

  constructor(thread: StoreThread, place: number) {
    this.#thread = thread;
    this.#place = place;
  }

  get settled(): Reached['settled'] {
    return this.#reached.settled;
  }

  get ended(): number {
    return this.#reached.ended;
  }

  get busyMs(): number {
    return this.#calls === 0 ? 0 : performance.now() - this.#since;
  }

  async start(): Promise<void> {
    this.#again.clear();
    this.#reached = await this.#ask('start', { place: this.#place, turn: this.#nextTurn });
  }

  async plan(listing: Listing): Promise<readonly Plan[]> {
    const { plans, ...reached } = await this.#ask('plan', { place: this.#place, listing });
    this.#reached = reached;
    return plans;
  }

  async write(block: Buffer, bytes: number): Promise<Written> {
    const turn = this.#again.get(block) ?? this.#nextTurn++;
    this.#again.delete(block);
    const { settled, ...written } = await this.#ask('write', { place: this.#place, turn, block, bytes });
    this.#reached = { ended: written.ended, settled };
    if (written.full) this.#again.set(block, turn);
    return written;
  }

  async publish(): Promise<Stored> {
    const stored = await this.#ask('publish', { place: this.#place });
    await this.keep();
    return stored;
  }

  discard(): Promise<void> {
    return this.#close('discard');
  }

  keep(): Promise<void> {
    return this.#close('keep');
  }

  async #close(how: 'discard' | 'keep'): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#ask(how, { place: this.#place });
    this.#thread.onNote(this.#place, undefined);
  }

  async #ask<TCall extends StoreCall>(call: TCall, ask: StoreCalls[TCall]['ask']): Promise<StoreCalls[TCall]['answer']> {
    if (this.#calls === 0) this.#since = performance.now();
    this.#calls += 1;
    try {
      return await this.#thread.ask(call, ask);
    } finally {
      this.#calls -= 1;
      // Calls are answered one after the other.
      this.#since = performance.now();
    }
  }
}
