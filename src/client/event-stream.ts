/**
 * The events of one client as an async iterator, for programs that use the engine as a library: a buffer of limited size between
 * an engine that tells and a loop that reads when it can.
 *
 * Owns what happens when the loop is slower: who is held back, and what is dropped. Knows nothing of sessions or sockets.
 */
import { systemClock, type Clock, type Timer } from '../net/clock.js';
import { deferred, type Deferred } from '../net/deferred.js';
import { P2pError } from '../protocol/errors.js';
import { clientLimits } from '../protocol/limits.js';
import type { ClientEvent } from './api.js';

/** In place of events that were dropped because nobody read them in time: they were the oldest unread ones. */
export interface EventsDropped {
  readonly event: 'events-dropped';
  readonly count: number;
}

export type StreamedEvent = ClientEvent | EventsDropped;

/**
 * Keeps at most `clientLimits.unreadEvents` events.
 *
 * While a loop reads, nothing is lost, however slow it is: from `unreadEventsBeforeHold` on the peers are held back. Not so while
 * {@link during} runs, or one event has kept the loop busy for `holdMs`, since it may then wait for what they send. While no loop reads
 * nobody is held back, and the newest are kept for the next one.
 */
export class EventStream implements AsyncIterable<StreamedEvent> {
  readonly #clock: Clock;
  readonly #unread: ClientEvent[] = [];
  #dropped = 0;
  /** Calls under way. */
  #calls = 0;
  #beingRead = false;
  /** The last event is in the buffer. */
  #complete = false;
  #arrival: Deferred<undefined> | undefined;
  #room: Deferred<undefined> | undefined;
  /** Runs while somebody is held back, from when the loop took its last event. */
  #patience: Timer | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Takes an event. A promise asks to send no more of the kind until it resolves. */
  push(event: ClientEvent): Promise<void> | undefined {
    if (event.event === 'disconnected') this.#complete = true;
    // Of the progress of a transfer only the newest state is of use.
    const outdated = event.event === 'progress' ? this.#unread.findIndex((one) => one.event === 'progress' && one.id === event.id) : -1;
    if (outdated >= 0) {
      this.#unread[outdated] = event;
      return undefined;
    }
    this.#unread.push(event);
    if (this.#unread.length > clientLimits.unreadEvents) {
      this.#unread.shift();
      this.#dropped += 1;
    }
    this.#arrival?.resolve(undefined);
    if (!this.#beingRead || this.#calls > 0 || this.#unread.length <= clientLimits.unreadEventsBeforeHold) return undefined;
    return this.#hold();
  }

  /** Runs something that may need the peers to be read: meanwhile nobody is held back. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    this.#release();
    try {
      return await work();
    } finally {
      this.#calls -= 1;
    }
  }

  /**
   * Events in their order; ends after `disconnected`. What a loop leaves when it breaks off is there for the next one.
   *
   * @throws P2pError `bad-argument` while another loop reads.
   */
  [Symbol.asyncIterator](): AsyncGenerator<StreamedEvent, void, undefined> {
    return this.#read();
  }

  async *#read(): AsyncGenerator<StreamedEvent, void, undefined> {
    if (this.#beingRead) throw new P2pError('bad-argument', 'The events of this client are being read by another loop already. One loop reads; it may pass them on.');
    this.#beingRead = true;
    try {
      for (;;) {
        const next = this.#next();
        if (next !== undefined) yield next;
        else if (this.#complete) return;
        else await (this.#arrival = deferred<undefined>()).promise;
      }
    } finally {
      this.#beingRead = false;
      this.#release();
    }
  }

  #next(): StreamedEvent | undefined {
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      return { event: 'events-dropped', count };
    }
    const event = this.#unread.shift();
    if (this.#unread.length <= clientLimits.unreadEventsBeforeHold / 2) this.#release();
    else if (this.#room !== undefined) this.#wait();
    return event;
  }

  /** One promise for all that are held back. */
  #hold(): Promise<void> {
    if (this.#room === undefined) {
      this.#room = deferred<undefined>();
      this.#wait();
    }
    return this.#room.promise;
  }

  #wait(): void {
    this.#patience?.stop();
    this.#patience = this.#clock.after(clientLimits.holdMs, () => this.#release());
  }

  #release(): void {
    this.#patience?.stop();
    this.#room?.resolve(undefined);
    this.#room = undefined;
  }
}
