/**
 * The thread in which the receiver's disk is used, seen from the main thread, and what the two say to each other.
 *
 * Owns the thread's life: it starts with the first call, keeps the program alive only while a call is under way, and a bug in
 * it ends the program like any other. What it does is in store-worker.ts.
 */
import { Worker } from 'node:worker_threads';
import type { TransferCode } from '../../protocol/errors.js';
import { TransferFailure } from '../failure.js';
import type { Listing, Plan } from '../source/source.js';
import type { StoreDiskOptions } from './store-disk.js';
import type { Leftover, Outlook, Stored, Wanted, Written } from './store.js';

/** Told with every answer about a transfer; see `Incoming`. */
export interface Reached {
  readonly ended: number;
  readonly settled: { readonly entries: number; readonly blake3: string } | undefined;
}

/** What can be asked, and what the answer is. `place`: a transfer's number, given by the asker. */
export interface StoreCalls {
  outlook: { ask: { wanted: Wanted }; answer: Outlook };
  sameEntries: { ask: { wanted: Wanted; listing: Listing }; answer: { files: number; bytes: number } };
  open: { ask: { place: number; wanted: Wanted }; answer: undefined };
  leftovers: { ask: object; answer: readonly Leftover[] };
  removeLeftovers: { ask: { nowMs: number }; answer: undefined };
  /** `turn`: the number of the first block of the link. */
  start: { ask: { place: number; turn: number }; answer: Reached };
  plan: { ask: { place: number; listing: Listing }; answer: Reached & { plans: readonly Plan[] } };
  /** `turn`: blocks count; one that found the disk full is said again under the same number, and none behind it is written before. */
  write: { ask: { place: number; turn: number; block: Uint8Array; bytes: number }; answer: Reached & Written };
  publish: { ask: { place: number }; answer: Stored };
  discard: { ask: { place: number }; answer: undefined };
  keep: { ask: { place: number }; answer: undefined };
}

export type StoreCall = keyof StoreCalls;

export type StoreRequest = { [TCall in StoreCall]: { readonly id: number; readonly call: TCall } & Readonly<StoreCalls[TCall]['ask']> }[StoreCall];

export type StoreReply =
  | { readonly id: number; readonly value: StoreCalls[StoreCall]['answer'] }
  | { readonly id: number; readonly failure: { readonly code: TransferCode; readonly message: string } }
  | { readonly place: number; readonly path: string; readonly note: string };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class StoreThread {
  readonly #options: StoreDiskOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #notes = new Map<number, (path: string, note: string) => void>();
  #worker: Worker | undefined;
  #state: 'open' | 'closed' = 'open';
  #lastId = 0;

  constructor(options: StoreDiskOptions) {
    this.#options = options;
  }

  /** @throws TransferFailure; also `write-failed` where it was closed. */
  ask<TCall extends StoreCall>(call: TCall, ask: StoreCalls[TCall]['ask']): Promise<StoreCalls[TCall]['answer']> {
    if (this.#state === 'closed') return Promise.reject(closedFailure());
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    if (this.#waiting.size === 0) worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, ...ask });
    });
  }

  /** Where notes about a transfer go; undefined: nowhere any more. */
  onNote(place: number, handler: ((path: string, note: string) => void) | undefined): void {
    if (handler === undefined) this.#notes.delete(place);
    else this.#notes.set(place, handler);
  }

  /** Ends the thread, whatever it does; what waits for an answer fails. Idempotent. */
  async close(): Promise<void> {
    this.#state = 'closed';
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    for (const one of this.#waiting.values()) one.reject(closedFailure());
    this.#waiting.clear();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: this.#options });
    worker.unref();
    worker.on('message', (reply: StoreReply) => this.#take(reply));
    // Thrown in an event handler, it ends the program.
    worker.on('error', (error) => {
      throw error;
    });
    return worker;
  }

  #take(reply: StoreReply): void {
    if ('note' in reply) {
      this.#notes.get(reply.place)?.(reply.path, reply.note);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ('failure' in reply) waiting?.reject(new TransferFailure(reply.failure.code, reply.failure.message));
    else waiting?.resolve(reply.value);
  }
}

function closedFailure(): TransferFailure {
  return new TransferFailure('write-failed', 'The receiver is leaving.');
}
