/**
 * One file or folder on its way out: the sender's half of PROTOCOL.md 7.5.
 *
 *     queued → offered → running → verifying → ended
 *     running → reopening → queued       where the source has changed
 *
 * Owns this order over one link after another: on a new link it is offered again and runs anew with what the receiver has
 * (outgoing-run.ts). How many offers may wait is the manager's business, what is read the source's.
 */
import { timeLimits } from '../protocol/limits.js';
import type { PeerMessageOf, TransferMessage } from '../protocol/peer-messages.js';
import { bothDone } from './both-done.js';
import { failedEvent, noteEvent, snapshot, stateEvent, type TransferContext, type TransferFacts } from './context.js';
import type { TransferOutcome, TransferSnapshot } from './events.js';
import { peerFailure, readFailure, TransferFailure } from './failure.js';
import { FileCount } from './file-count.js';
import { Notes } from './notes.js';
import { OutgoingRun } from './outgoing-run.js';
import { ProgressMeter } from './progress.js';
import type { SendPump } from './send-pump.js';
import type { Source, SourceEvents, SourceFacts } from './source/source.js';
import { Standing, type OwnWait } from './standing.js';

export type OutgoingState = 'queued' | 'offered' | 'running' | 'verifying' | 'reopening' | 'ended';

/** States in which the receiver knows nothing of it. */
const UNKNOWN_TO_PEER: readonly OutgoingState[] = ['queued', 'reopening'];

/** A message of the receiver about one transfer. */
export type ReceiverMessage = Exclude<TransferMessage, { type: 'offer' | 'tally' | 'offers-end' | 'surveyed' | 'entries' }>;

/** A source that changes more often than this while it is sent never stands still. */
const RESTARTS = 3;

export interface OutgoingOptions {
  readonly context: TransferContext;
  readonly pump: SendPump;
  /** The next number for people. */
  nextId(): number;
  /** The next number on the wire. */
  nextTransfer(): number;
  /** Opens the source; called again where it has changed. @throws what `Source` throws. */
  open(events: SourceEvents): Promise<Source>;
  /** The state has changed; called before anything else follows from that. */
  readonly onMove: (transfer: OutgoingTransfer) => void;
  /** It goes on under another number, and is `queued` again. */
  readonly onRenumber: (transfer: OutgoingTransfer, before: number) => void;
}

export class OutgoingTransfer {
  /** The event that ended the transfer; never rejects. */
  readonly finished: Promise<TransferOutcome>;
  readonly standing: Standing;
  readonly #options: OutgoingOptions;
  readonly #context: TransferContext;
  readonly #progress: ProgressMeter;
  readonly #notes: Notes;
  readonly #count = new FileCount();
  #resolve: (outcome: TransferOutcome) => void = () => undefined;
  #state: OutgoingState = 'queued';
  #source: Source;
  readonly #id: number;
  #transfer: number;
  #run: OutgoingRun | undefined;
  #restarts = 0;
  #surveying = false;
  /** Notes that came before the offer was told. */
  #early: [path: string, reason: string][] = [];
  /** What must have ended before the source may be closed. */
  #busy: Promise<unknown> = Promise.resolve();
  #startMs: number | undefined;
  #blake3: string | undefined;

  private constructor(source: Source, options: OutgoingOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#source = source;
    this.#id = options.nextId();
    this.#transfer = options.nextTransfer();
    this.finished = new Promise((resolve) => (this.#resolve = resolve));
    this.#progress = new ProgressMeter(this.#context.clock, (bytes, rate) => {
      const { kind, size } = this.#source.facts;
      this.#context.emit({ event: 'progress', id: this.#id, bytes, total: size, rate, ...(kind === 'folder' ? { files: this.#count.files } : {}) });
    });
    this.#notes = new Notes((path, note) => this.#context.emit(noteEvent(this.#context, this.facts, path, note)));
    this.standing = new Standing({
      clock: this.#context.clock,
      ownWait: () => this.#ownWait(),
      sayWaits: (on) => this.#context.port.send({ type: 'waits', transfer: this.#transfer, by: 'sender', on }),
      onChange: (state, waits) => {
        if (this.accepted || state === 'paused') this.#context.emit(stateEvent(this.#context, this.facts, state, waits));
      },
    });
  }

  /** Opens what is to be sent. @throws P2pError where it cannot be. */
  static async open(options: OutgoingOptions): Promise<OutgoingTransfer> {
    const early: [path: string, reason: string][] = [];
    const told: { by?: OutgoingTransfer } = {};
    const source = await options.open({
      onTally: (facts) => {
        if (told.by !== undefined) told.by.#tally(facts);
      },
      onSkip: (path, reason) => {
        if (told.by === undefined) early.push([path, reason]);
        else told.by.#skipped(path, reason);
      },
    });
    const transfer = new OutgoingTransfer(source, options);
    told.by = transfer;
    transfer.#early = early;
    return transfer;
  }

  get state(): OutgoingState {
    return this.#state;
  }

  /** Whether the receiver has been told of it. */
  get offered(): boolean {
    return this.live && !UNKNOWN_TO_PEER.includes(this.#state);
  }

  /** Whether the receiver has taken the offer, on this link or an earlier one. */
  get accepted(): boolean {
    return this.#state === 'running' || this.#state === 'verifying';
  }

  get live(): boolean {
    return this.#state !== 'ended';
  }

  get facts(): TransferFacts {
    return { id: this.#id, transfer: this.#transfer, direction: 'outgoing', name: this.#source.facts.name };
  }

  get snapshot(): TransferSnapshot {
    const standing = this.accepted || this.standing.paused ? this.standing : ({ state: 'offered', waits: undefined } as const);
    return snapshot(this.#context, this.facts, this.#source.facts, this.#progress, standing);
  }

  /** Tells people of the offer. */
  announce(): void {
    const { kind, name, size, files, counted } = this.#source.facts;
    this.#context.emit({ event: 'offer', id: this.#id, peer: this.#context.peer, direction: 'outgoing', name, kind, size, files, counted });
    for (const [path, reason] of this.#early.splice(0)) this.#notes.add(path, reason);
  }

  /** Puts the offer on the wire: the first time, or again on a new link. */
  offer(): void {
    if (this.#state === 'queued') this.#move('offered');
    const { kind, name, size, files, counted, modified } = this.#source.facts;
    this.#context.port.send({ type: 'offer', transfer: this.#transfer, kind, name, size, files, counted, modified });
    if (this.standing.pausedBy('you') !== undefined) this.#sayPause();
  }

  /** The link is gone. */
  unlinked(): void {
    this.#endRun();
    if (this.#state === 'verifying') this.#move('running');
    this.standing.linked(false);
  }

  /** Another link is there; {@link offer} follows. `known`: whether the other side knows of what was offered before. */
  linked(known: boolean): void {
    if (!known && this.accepted) {
      this.#progress.stop();
      this.#move('offered');
    }
    this.standing.linked(true);
  }

  /** A message of the receiver about this transfer. One that does not fit the state ends the transfer. */
  receive(message: ReceiverMessage): void {
    switch (message.type) {
      case 'survey':
        this.#busy = bothDone(this.#busy, this.#survey(message.first));
        break;
      case 'accept':
        this.#accepted(message);
        break;
      case 'plan':
      case 'credit':
        this.#steer(message);
        break;
      case 'pause':
        this.standing.pause('peer', message.reason);
        break;
      case 'resume':
        this.standing.resume('peer');
        this.#options.pump.wake();
        break;
      case 'waits':
        this.standing.peerWaits(message.on);
        break;
      case 'verified':
        this.#verified(message);
        break;
      case 'reject':
      case 'cancel':
        void this.end(peerFailure(this.#context.peer, message), 'nobody');
    }
  }

  pause(): void {
    this.standing.pause('you', 'person');
    this.#sayPause();
  }

  resume(): void {
    this.standing.resume('you');
    this.#context.port.send({ type: 'resume', transfer: this.#transfer, by: 'sender' });
    this.#options.pump.wake();
  }

  /** Looks at what it waits for; called every second. */
  tick(): void {
    if (this.accepted) this.standing.tick();
  }

  /** Ends the transfer without success; `finished` follows when the source is closed. Harmless after an end. */
  async end(failure: TransferFailure, tell: 'peer' | 'nobody'): Promise<void> {
    if (this.live) {
      if (tell === 'peer' && this.offered) this.#sayCancel(failure);
      this.#move('ended');
      void this.#conclude(failedEvent(this.#context, this.facts, failure));
    }
    await this.finished;
  }

  #accepted(message: PeerMessageOf<'accept'>): void {
    if (this.#state === 'verifying' || this.#run !== undefined) {
      this.#outOfOrder(message.type);
      return;
    }
    this.#startMs ??= this.#context.clock.now();
    this.#progress.start();
    this.standing.moved();
    if (this.#state === 'offered') this.#move('running');
    const run = new OutgoingRun({
      context: this.#context,
      pump: this.#options.pump,
      source: this.#source,
      transfer: this.#transfer,
      accept: message,
      flows: () => !this.standing.paused,
      count: this.#count,
      onMove: () => this.#moved(run),
      onComplete: (blake3) => this.#complete(run, blake3),
      onError: (error) => this.#failed(error),
    });
    this.#run = run;
    this.#busy = bothDone(this.#busy, run.start());
  }

  #steer(message: PeerMessageOf<'plan' | 'credit'>): void {
    if (this.#run === undefined) {
      this.#outOfOrder(message.type);
      return;
    }
    try {
      if (message.type === 'credit') this.#run.credited(message.upTo);
      else this.#run.planned(message);
    } catch (error) {
      this.#failed(error);
    }
  }

  #moved(run: OutgoingRun): void {
    this.standing.moved();
    this.#progress.reach(run.written, run.had);
  }

  #complete(run: OutgoingRun, blake3: string | undefined): void {
    this.#blake3 = blake3;
    this.#moved(run);
    this.#move('verifying');
  }

  #verified({ same, refused }: PeerMessageOf<'verified'>): void {
    // On a new link it may come without another run: the file was stored before the last link broke.
    if (this.#state !== 'verifying' && !(this.#state === 'running' && this.#run === undefined)) {
      this.#outOfOrder('verified');
      return;
    }
    const { kind, name, size, files } = this.#source.facts;
    const [had, payload] = [this.#run?.had ?? 0, this.#run?.sentBytes ?? 0];
    const seconds = this.#startMs === undefined ? 0 : (this.#context.clock.now() - this.#startMs) / 1000;
    this.#move('ended');
    this.#notes.end();
    const told = { event: 'transfer-done', id: this.#id, peer: this.#context.peer, direction: 'outgoing', name, kind } as const;
    void this.#conclude({ ...told, bytes: size ?? had + payload, resumed: had, files, same, refused, seconds, ...(this.#blake3 === undefined ? {} : { blake3: this.#blake3 }) });
  }

  /** One at a time: the receiver asks on when it has been answered. */
  async #survey(first: number): Promise<void> {
    if (this.#surveying) this.#outOfOrder('survey');
    if (this.#state !== 'offered') return;
    this.#surveying = true;
    try {
      const { entries, last, first: from } = await this.#source.survey(first);
      this.#surveying = false;
      if (this.#isOffered()) this.#context.port.send({ type: 'surveyed', transfer: this.#transfer, first: from, entries: [...entries], last });
    } catch (error) {
      this.#surveying = false;
      this.#failed(error);
    }
  }

  /** A method, since the compiler takes the state for unchanged over an await. */
  #isOffered(): boolean {
    return this.#state === 'offered';
  }

  #tally(facts: SourceFacts): void {
    if (!this.offered || facts.size === null) return;
    const { size, files, counted } = facts;
    this.#context.port.send({ type: 'tally', transfer: this.#transfer, size, files, counted });
    if (this.#state !== 'offered') return;
    const { id, direction, name } = this.facts;
    this.#context.emit({ event: 'offer-update', id, peer: this.#context.peer, direction, name, size, files, counted });
  }

  #skipped(path: string, reason: string): void {
    if (this.live) this.#notes.add(path, reason);
  }

  /** The source cannot be read on. One that has changed is sent anew, if it can be. */
  #failed(error: unknown): void {
    if (!this.live) return;
    const failure = readFailure(error);
    if (failure.code === 'source-changed' && this.#source.repeatable && this.#restarts < RESTARTS && this.accepted) void this.#restart(failure);
    else void this.end(failure, 'peer');
  }

  async #restart(failure: TransferFailure): Promise<void> {
    this.#restarts += 1;
    this.#endRun();
    this.#sayCancel(failure);
    this.#move('reopening');
    const before = this.#transfer;
    this.#transfer = this.#options.nextTransfer();
    this.#options.onRenumber(this, before);
    const old = this.#source;
    await this.#busy;
    await old.close();
    try {
      this.#source = await this.#options.open({ onTally: (facts) => this.#tally(facts), onSkip: (path, reason) => this.#skipped(path, reason) });
    } catch (error) {
      void this.end(readFailure(error), 'nobody');
      return;
    }
    if (!this.live) {
      await this.#source.close();
      return;
    }
    this.#notes.add('', 'It changed on the disk while it was sent, and is offered anew.');
    this.#blake3 = this.#startMs = undefined;
    this.#move('queued');
  }

  #endRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined) this.#busy = bothDone(this.#busy, run.end());
  }

  #sayPause(): void {
    this.#context.port.send({ type: 'pause', transfer: this.#transfer, by: 'sender', reason: 'person' });
  }

  #sayCancel({ code, message }: TransferFailure): void {
    this.#context.port.send({ type: 'cancel', transfer: this.#transfer, by: 'sender', code, message });
  }

  #outOfOrder(type: string): void {
    void this.end(new TransferFailure('out-of-order', `The receiver sent "${type}" at the wrong time.`), 'peer');
  }

  #ownWait(): OwnWait {
    const limitedSince = this.#run?.limitedSince;
    if (limitedSince !== undefined && this.#context.clock.now() - limitedSince >= timeLimits.waitsMs) return 'rate-limit';
    return this.#source.busyMs >= timeLimits.waitsMs ? 'disk' : 'nothing';
  }

  #move(state: OutgoingState): void {
    this.#state = state;
    if (state === 'running') this.standing.begin();
    this.#options.onMove(this);
  }

  async #conclude(outcome: TransferOutcome): Promise<void> {
    this.#progress.stop();
    this.#endRun();
    await this.#busy;
    await this.#source.close();
    this.#context.emit(outcome);
    this.#resolve(outcome);
  }
}
