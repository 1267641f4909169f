/**
 * The thread that reads the disk for everything that is sent: the main thread's side of it (PROTOCOL.md 7.5).
 *
 * Owns the thread's life and the order of calls of each source. What is done in it is source-reader.ts, which
 * source-worker.ts runs. Blocks go there and back without a copy, since they are shared memory.
 */
import { Worker } from 'node:worker_threads';
import { systemClock, type Clock } from '../../net/clock.js';
import { P2pError, type ErrorCode, type TransferCode } from '../../protocol/errors.js';
import { timeLimits } from '../../protocol/limits.js';
import { TransferFailure } from '../failure.js';
import type { Listing, OpenSource, Plan, Source, SourceBatch, SourceEvents, SourceFacts } from './source.js';
import type { Settled } from './source-reader.js';

/** What the thread is asked, by the methods of `SourceReader`. */
export type SourceAsk =
  | { readonly do: 'open'; readonly path: string }
  | { readonly do: 'count' }
  | { readonly do: 'survey'; readonly first: number }
  | { readonly do: 'start'; readonly settled: Settled | undefined }
  | { readonly do: 'settle' }
  | { readonly do: 'list' }
  | { readonly do: 'plan'; readonly plan: Plan }
  | { readonly do: 'read'; readonly block: Uint8Array; readonly transfer: number; readonly maxBytes: number }
  | { readonly do: 'close' };

export interface SourceQuestion {
  readonly call: number;
  readonly source: number;
  readonly ask: SourceAsk;
}

/** A path that is left out, and why. */
export type Skipped = readonly [shown: string, reason: string];

export type SourceAnswer = { readonly call: number; readonly source: number; readonly skips: readonly Skipped[] } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly transfer: boolean; readonly code: ErrorCode; readonly message: string }
);

interface Call {
  readonly sinceMs: number;
  readonly onSkips: (skips: readonly Skipped[]) => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: P2pError) => void;
}

/** All files and folders that a program sends. The thread begins with the first of them and does not keep the program alive, but for calls under way. */
export class SourceThread {
  readonly #clock: Clock;
  readonly #calls = new Map<number, Call>();
  #worker: Worker | undefined;
  #lastCall = 0;
  #lastSource = 0;
  #closed: Promise<void> | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** As {@link OpenSource}. A folder is given out when it is counted, or after `timeLimits.countMs`; events come only after that. */
  readonly open: OpenSource = (path, events) => {
    this.#lastSource += 1;
    return ThreadSource.open(this, this.#lastSource, path, events, this.#clock);
  };

  /** Calls under way are rejected, as are later ones. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#end());
  }

  /** One call; they are done in the order of asking. `onSkips` is called before the promise settles. */
  ask(source: number, ask: SourceAsk, onSkips: Call['onSkips']): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(ended());
    const worker = (this.#worker ??= this.#begin());
    this.#lastCall += 1;
    const question: SourceQuestion = { call: this.#lastCall, source, ask };
    return new Promise((resolve, reject) => {
      if (this.#calls.size === 0) worker.ref();
      this.#calls.set(question.call, { sinceMs: this.#clock.now(), onSkips, resolve, reject });
      worker.postMessage(question);
    });
  }

  #begin(): Worker {
    const worker = new Worker(new URL('./source-worker.js', import.meta.url));
    worker.on('message', (answer: SourceAnswer) => this.#answered(answer));
    // Nothing that is expected comes here: a bug ends the program, in whichever thread it is.
    worker.on('error', (error) => {
      throw error;
    });
    return worker;
  }

  #answered(answer: SourceAnswer): void {
    const call = this.#calls.get(answer.call);
    if (call === undefined) return;
    this.#calls.delete(answer.call);
    if (this.#calls.size === 0) this.#worker?.unref();
    if (answer.skips.length > 0) call.onSkips(answer.skips);
    if (answer.ok) call.resolve(answer.value);
    else call.reject(answer.transfer ? new TransferFailure(answer.code as TransferCode, answer.message) : new P2pError(answer.code, answer.message));
  }

  async #end(): Promise<void> {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject } of calls) reject(ended());
    await this.#worker?.terminate();
  }
}

function ended(): TransferFailure {
  return new TransferFailure('cancelled', 'The sender’s program ends.');
}

class ThreadSource implements Source {
  readonly repeatable = true;
  readonly #thread: SourceThread;
  readonly #source: number;
  readonly #events: SourceEvents;
  readonly #clock: Clock;
  #facts: SourceFacts;
  /** When the calls under way began, by the clock; the first is the oldest. */
  readonly #began = new Set<{ readonly at: number }>();
  /** Left out, and not told before the caller has the source. */
  #untold: Skipped[] | undefined = [];
  /** Why a plan was not taken: the next read says so. */
  #planError: unknown;
  /** What the caller was given, as long as there may be something {@link #untold}. */
  #given: SourceFacts | undefined;
  #state: 'open' | 'closed' = 'open';
  /** Links so far. */
  #starts = 0;

  private constructor(thread: SourceThread, source: number, events: SourceEvents, clock: Clock, facts: SourceFacts) {
    this.#thread = thread;
    this.#source = source;
    this.#events = events;
    this.#clock = clock;
    this.#facts = facts;
  }

  static async open(thread: SourceThread, number: number, path: string, events: SourceEvents, clock: Clock): Promise<ThreadSource> {
    let facts: SourceFacts;
    try {
      facts = (await thread.ask(number, { do: 'open', path }, () => undefined)) as SourceFacts;
    } catch (error) {
      await thread.ask(number, { do: 'close' }, () => undefined).catch(() => undefined);
      throw error;
    }
    const source = new ThreadSource(thread, number, events, clock, facts);
    await source.#firstCount();
    return source;
  }

  get facts(): SourceFacts {
    return this.#facts;
  }

  get busyMs(): number {
    const [oldest] = this.#began;
    return oldest === undefined ? 0 : this.#clock.now() - oldest.at;
  }

  async survey(first: number): Promise<Listing> {
    return this.#found({ do: 'survey', first });
  }

  async start(settled?: Settled): Promise<void> {
    this.#starts += 1;
    this.#planError = undefined;
    let done = (await this.#ask({ do: 'start', settled })) as boolean;
    while (!done) done = (await this.#ask({ do: 'settle' })) as boolean;
  }

  async list(): Promise<Listing> {
    return this.#found({ do: 'list' });
  }

  plan(plan: Plan): void {
    this.#ask({ do: 'plan', plan }).catch((error: unknown) => (this.#planError ??= error));
  }

  async read(block: Buffer, transfer: number, maxBytes: number): Promise<SourceBatch> {
    const batch = (await this.#ask({ do: 'read', block, transfer, maxBytes })) as SourceBatch;
    if (this.#planError !== undefined) throw this.#planError as Error;
    return batch;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // A thread that has ended has closed everything.
    await this.#thread.ask(this.#source, { do: 'close' }, () => undefined).catch(() => undefined);
  }

  /** Asks until something is listed: a folder may hold much that is not. Not of a source that was closed, or for a link that is gone. */
  async #found(ask: SourceAsk): Promise<Listing> {
    const start = this.#starts;
    for (;;) {
      const listing = (await this.#ask(ask)) as Listing;
      if (listing.entries.length > 0 || listing.last || this.#isClosed || start !== this.#starts) return listing;
    }
  }

  async #ask(ask: SourceAsk): Promise<unknown> {
    if (this.#given !== undefined) this.#tellUntold();
    const call = { at: this.#clock.now() };
    this.#began.add(call);
    try {
      return await this.#thread.ask(this.#source, ask, (skips) => this.#tell(skips));
    } finally {
      this.#began.delete(call);
    }
  }

  /** Counts until all is counted or it has taken too long; then goes on beside everything else. */
  async #firstCount(): Promise<void> {
    const counting = this.#countAll();
    let stop: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeLimits.countMs, resolve);
      stop = () => timer.stop();
    });
    try {
      await Promise.race([counting, late]);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      stop();
    }
    this.#given = this.#facts;
    setImmediate(() => this.#tellUntold());
    // A folder that has become unreadable is told by whatever is asked of it next.
    counting.catch(() => undefined);
  }

  /** What was found before the caller had the source: told when it surely has. */
  #tellUntold(): void {
    const [untold, given] = [this.#untold ?? [], this.#given];
    this.#untold = undefined;
    this.#given = undefined;
    this.#tell(untold);
    if (given !== undefined && this.#facts !== given && !this.#isClosed) this.#events.onTally(this.#facts);
  }

  async #countAll(): Promise<void> {
    let toldMs = this.#clock.now();
    while (!this.#facts.counted && this.#state === 'open') {
      this.#facts = (await this.#thread.ask(this.#source, { do: 'count' }, (skips) => this.#tell(skips))) as SourceFacts;
      const due = this.#facts.counted || this.#clock.now() - toldMs >= timeLimits.tallyMs;
      if (!due || this.#untold !== undefined || this.#isClosed) continue;
      toldMs = this.#clock.now();
      this.#events.onTally(this.#facts);
    }
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #tell(skips: readonly Skipped[]): void {
    if (this.#untold !== undefined) this.#untold.push(...skips);
    else if (!this.#isClosed) for (const [shown, reason] of skips) this.#events.onSkip(shown, reason);
  }
}
