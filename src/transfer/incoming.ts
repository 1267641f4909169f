/**
 * One file or folder on its way in: the receiver's half of PROTOCOL.md 7.5.
 *
 *     offered → wanted → opening → running → publishing → ended
 *
 * Owns this order over one link after another, and pauses by a full disk. What is true of one link only is in incoming-run.ts,
 * whether an offer is wanted is decided by policy or a person, when a wanted one may begin by the manager, what happens on the disk by
 * the store.
 */
import { debuglog } from 'node:util';
import type { Timer } from '../net/clock.js';
import { timeLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import { failedEvent, noteEvent, snapshot, stateEvent, type TransferContext, type TransferFacts } from './context.js';
import type { TransferOutcome, TransferSnapshot } from './events.js';
import { bothDone } from './both-done.js';
import type { LastWord } from './ended-transfers.js';
import { isKept, TransferFailure, writeFailure } from './failure.js';
import { FileCount } from './file-count.js';
import { IncomingOffer, type OfferMessage } from './incoming-offer.js';
import { IncomingRun } from './incoming-run.js';
import { Notes } from './notes.js';
import { ProgressMeter } from './progress.js';
import { Standing, type OwnWait } from './standing.js';
import type { Incoming, Store, Stored } from './store/store.js';

const debug = debuglog('p2p-transfer');

export type IncomingState = 'offered' | 'wanted' | 'opening' | 'running' | 'publishing' | 'ended';

/** States before `accept` has been said: an end is told as `reject`. */
const UNANSWERED: readonly IncomingState[] = ['offered', 'wanted', 'opening'];

/** A message of the sender about one transfer that was offered. */
export type SenderMessage = PeerMessageOf<'tally' | 'surveyed' | 'entries' | 'pause' | 'resume' | 'waits'>;

export interface IncomingOptions {
  readonly context: TransferContext;
  readonly store: Store;
  readonly id: number;
  readonly offer: OfferMessage;
  /** The name under which it will be stored, made safe already. */
  readonly name: string;
  /** The state has changed; called before anything else follows from that. */
  readonly onMove: (transfer: IncomingTransfer) => void;
}

export class IncomingTransfer {
  /** The event that ended the transfer, once its files are closed; never rejects. */
  readonly finished: Promise<TransferOutcome>;
  readonly facts: TransferFacts;
  readonly offer: IncomingOffer;
  readonly standing: Standing;
  readonly #options: IncomingOptions;
  readonly #context: TransferContext;
  readonly #progress: ProgressMeter;
  readonly #notes: Notes;
  readonly #count = new FileCount();
  #state: IncomingState = 'offered';
  #linked = true;
  #repeated = true;
  #place: Incoming | undefined;
  #window = 0;
  #run: IncomingRun | undefined;
  /** What must have ended before the place may be closed. */
  #busy: Promise<unknown> = Promise.resolve();
  /** Tries again what a full disk has stopped. */
  #retry: { readonly timer: Timer; readonly again: () => void } | undefined;
  /** It is to end even though all has come, unless it gets its name at once. */
  #givenUp = false;
  #lastWord: LastWord | undefined;
  #startMs = 0;
  #resolve: (outcome: TransferOutcome) => void = () => undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#context = options.context;
    const { context, id, name, offer } = options;
    this.facts = { id, transfer: offer.transfer, direction: 'incoming', name };
    this.offer = new IncomingOffer(offer, { context, store: options.store, facts: this.facts, isOpen: () => this.#state === 'offered' });
    this.finished = new Promise((resolve) => (this.#resolve = resolve));
    this.#progress = new ProgressMeter(context.clock, (bytes, rate) =>
      context.emit({ event: 'progress', id, bytes, total: this.offer.message.size, rate, ...(offer.kind === 'folder' ? { files: this.#count.files } : {}) }),
    );
    this.#notes = new Notes((path, note) => context.emit(noteEvent(context, this.facts, path, note)));
    this.standing = new Standing({
      clock: context.clock,
      ownWait: () => this.#ownWait(),
      sayWaits: (on) => context.port.send({ type: 'waits', transfer: offer.transfer, by: 'receiver', on }),
      onChange: (state, waits) => {
        // A full disk can also stop a place from being made.
        if (this.#accepted || this.#state === 'opening') context.emit(stateEvent(context, this.facts, state, waits));
      },
    });
  }

  get state(): IncomingState {
    return this.#state;
  }

  /** The word that ended it, for a sender that did not hear it; undefined where the sender ended it. */
  get lastWord(): LastWord | undefined {
    return this.#lastWord;
  }

  /** Bytes of frames that may still come of what was granted. */
  get outstanding(): number {
    return this.#run?.outstanding ?? 0;
  }

  /** The window that it holds; 0 before {@link open}. */
  get windowBytes(): number {
    return this.#window;
  }

  /** Whether it has been offered on the link of the moment. */
  get repeated(): boolean {
    return this.#repeated;
  }

  get snapshot(): TransferSnapshot {
    const waiting = { state: this.#state === 'offered' ? 'offered' : 'queued', waits: undefined } as const;
    const stands = this.#accepted || this.standing.pausedBy('you') !== undefined;
    return snapshot(this.#context, this.facts, this.offer.message, this.#progress, stands ? this.standing : waiting);
  }

  /** An end is told only behind the offer, which `announcing` tells. */
  async announced(announcing: Promise<void>): Promise<void> {
    this.#busy = bothDone(this.#busy, announcing);
    await announcing;
  }

  /** The offer was made again, on a new link. */
  offeredAgain(offer: OfferMessage): void {
    this.#repeated = true;
    if (!this.offer.again(offer)) this.#fail(new TransferFailure('source-changed', 'The file has another size now. Send it again.'), 'peer');
    else if (this.#state === 'running') this.#begin();
  }

  /** The link is gone, or another is there. */
  linked(is: boolean): void {
    this.#linked = is;
    this.#repeated = false;
    this.#endRun();
    this.standing.linked(is);
  }

  /** The offer is taken up; {@link open} follows when there is a place for it. */
  want(): void {
    this.#move('wanted');
  }

  /** Makes a place for it and says `accept`. `windowBytes`: how much may come beyond what is written. */
  async open(windowBytes: number): Promise<void> {
    this.#window = windowBytes;
    this.#move('opening');
    this.#startMs = this.#context.clock.now();
    const opening = this.#withRoom(() => this.#options.store.open(this.offer.wanted, { onNote: (path, note) => this.#notes.add(path, note) }));
    this.#busy = bothDone(this.#busy, opening);
    this.#place = await opening;
    if (this.#place === undefined || !this.#live) return;
    this.#progress.start();
    this.#move('running');
    this.standing.begin();
    if (this.#linked && this.#repeated) this.#begin();
  }

  /** A message of the sender about this transfer. One that does not fit ends the transfer. */
  receive(message: SenderMessage): void {
    switch (message.type) {
      case 'tally':
        if (!this.offer.tally(message)) this.#outOfOrder();
        break;
      case 'surveyed':
        this.#busy = bothDone(this.#busy, this.offer.compare(message));
        break;
      case 'entries':
        if (this.#run === undefined) this.#outOfOrder();
        else this.#run.listed(message);
        break;
      case 'pause':
        this.standing.pause('peer', message.reason);
        break;
      case 'resume':
        this.standing.resume('peer');
        break;
      case 'waits':
        this.standing.peerWaits(message.on);
    }
  }

  /** File bytes; `bytes` is copied before this returns. `first`: a frame begins. */
  data(entry: number, offset: number, bytes: Uint8Array, first: boolean): void {
    if (this.#run === undefined) this.#outOfOrder();
    else this.#run.data(entry, offset, bytes, first);
  }

  entryEnd(entry: number, status: 0 | 1, blake3: string): void {
    if (this.#run === undefined) this.#outOfOrder();
    else this.#run.entryEnd(entry, status, blake3);
  }

  pause(): void {
    this.#pause('person');
  }

  resume(): void {
    this.standing.resume('you');
    this.#context.port.send({ type: 'resume', transfer: this.facts.transfer, by: 'receiver' });
  }

  /** Looks at what it waits for; called every second. */
  tick(): void {
    if (this.#accepted) this.standing.tick();
  }

  /**
   * Ends the transfer without success; resolves when its place is closed. Harmless after an end, and too late once it is
   * getting its name.
   */
  async end(failure: TransferFailure, tell: 'peer' | 'nobody'): Promise<void> {
    if (this.#state === 'publishing') {
      this.#givenUp = true;
      this.#tryAgain();
      await this.#busy;
    }
    if (this.#live) this.#fail(failure, tell);
    await this.finished;
  }

  get #live(): boolean {
    return this.#state !== 'ended';
  }

  get #accepted(): boolean {
    return this.#state === 'running' || this.#state === 'publishing';
  }

  #fail(failure: TransferFailure, tell: 'peer' | 'nobody'): void {
    const answered = !UNANSWERED.includes(this.#state);
    const { transfer } = this.facts;
    const { code, message } = failure;
    if (tell === 'peer') this.#lastWord = answered ? { type: 'cancel', transfer, by: 'receiver', code, message } : { type: 'reject', transfer, code, message };
    this.#move('ended');
    if (this.#lastWord !== undefined) this.#context.port.send(this.#lastWord);
    void this.#conclude(failedEvent(this.#context, this.facts, failure), !isKept(code));
  }

  /** A link is there, and the sender knows that it is wanted. */
  #begin(): void {
    const place = this.#place;
    if (place === undefined) return;
    const { kind, size, modified } = this.offer.message;
    const run = new IncomingRun({
      context: this.#context,
      place,
      transfer: this.facts.transfer,
      windowBytes: this.#window,
      file: kind === 'file' ? { name: this.facts.name, size: size ?? 0, modified: modified ?? 0 } : undefined,
      checking: (is) => this.standing.checking(is),
      count: this.#count,
      onMove: () => this.#moved(run),
      onFull: (again) => this.#full(again),
      onRoom: () => this.#roomy(),
      onComplete: () => this.#complete(),
      onError: (error) => this.#failed(error),
    });
    this.#run = run;
    this.#progress.start();
    this.#busy = bothDone(this.#busy, run.start());
    // This run has to find out whether the disk is full: nothing else would ever say that it is not.
    if (this.standing.pausedBy('you') === 'disk-full') this.standing.resume('you');
    const paused = this.standing.pausedBy('you');
    if (paused !== undefined) this.#context.port.send({ type: 'pause', transfer: this.facts.transfer, by: 'receiver', reason: paused });
  }

  #moved(run: IncomingRun): void {
    this.standing.moved();
    this.#progress.reach(run.written, run.had);
  }

  #complete(): void {
    this.#endRun();
    const busy = this.#busy;
    this.#move('publishing');
    this.#busy = this.#publish(busy);
  }

  async #publish(before: Promise<unknown>): Promise<void> {
    await before;
    const place = this.#place;
    if (place === undefined) return;
    const stored = await this.#withRoom(() => place.publish());
    if (stored === undefined || this.#state !== 'publishing') return;
    this.#done(stored);
  }

  #done(stored: Stored): void {
    const { transfer, id, direction, name } = this.facts;
    const { path, same, refused, resumed, bytes, files, blake3 } = stored;
    const { peer, clock } = this.#context;
    this.#lastWord = { type: 'verified', transfer, same, refused };
    this.#move('ended');
    this.#context.port.send(this.#lastWord);
    this.#notes.end();
    const seconds = (clock.now() - this.#startMs) / 1000;
    const told = { event: 'transfer-done', id, peer, direction, name, kind: this.offer.message.kind, bytes, resumed, files, same, refused, seconds } as const;
    void this.#conclude({ ...told, ...(path === undefined ? {} : { path }), ...(blake3 === undefined ? {} : { blake3 }) }, false);
  }

  /** Does `work`, again and again while the disk is full. Undefined where the transfer ended meanwhile, or by it. */
  async #withRoom<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        const value = await work();
        this.#roomy();
        return value;
      } catch (error) {
        const failure = writeFailure(error);
        if (failure.code !== 'disk-full') {
          if (this.#live) this.#fail(failure, 'peer');
          return undefined;
        }
      }
      if (this.#live && !this.#givenUp) await new Promise<void>((resolve) => this.#full(resolve));
      if (!this.#live || this.#givenUp) return undefined;
    }
  }

  /** What waits for room does so no longer. */
  #tryAgain(): void {
    const retry = this.#retry;
    this.#retry = undefined;
    retry?.timer.stop();
    retry?.again();
  }

  /** The disk is full: both sides are told, and `again` is called when there may be room, or the transfer has ended. */
  #full(again: () => void): void {
    if (this.standing.pausedBy('you') === undefined) this.#pause('disk-full');
    this.#retry = {
      again,
      timer: this.#context.clock.after(timeLimits.fullRetryMs, () => {
        this.#retry = undefined;
        again();
      }),
    };
  }

  #roomy(): void {
    if (this.standing.pausedBy('you') === 'disk-full') this.resume();
  }

  #pause(reason: 'person' | 'disk-full'): void {
    this.standing.pause('you', reason);
    this.#context.port.send({ type: 'pause', transfer: this.facts.transfer, by: 'receiver', reason });
  }

  #failed(error: unknown): void {
    if (this.#live) this.#fail(writeFailure(error), 'peer');
  }

  #outOfOrder(): void {
    if (this.#live) this.#fail(new TransferFailure('out-of-order', 'The sender sent something at the wrong time.'), 'peer');
  }

  #ownWait(): OwnWait {
    const limitedSince = this.#run?.limitedSince;
    if ((this.#place?.busyMs ?? 0) >= timeLimits.waitsMs) return 'disk';
    return limitedSince !== undefined && this.#context.clock.now() - limitedSince >= timeLimits.waitsMs ? 'rate-limit' : 'nothing';
  }

  #endRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined) this.#busy = bothDone(this.#busy, run.end());
    this.#tryAgain();
  }

  #move(state: IncomingState): void {
    this.#state = state;
    this.#options.onMove(this);
  }

  async #conclude(outcome: TransferOutcome, discard: boolean): Promise<void> {
    this.#progress.stop();
    this.#endRun();
    await this.#busy;
    try {
      // After a success both do nothing.
      if (discard) await this.#place?.discard();
      else await this.#place?.keep();
    } catch (error) {
      // Nothing more can be done for it here; it is listed as a leftover, and removed in time.
      debug('the place of %s was not closed: %s', this.facts.id, writeFailure(error).message);
    }
    this.#context.emit(outcome);
    this.#resolve(outcome);
  }
}
