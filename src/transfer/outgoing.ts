/**
 * One file on its way out: the sender's half of PROTOCOL.md 7.5.
 *
 *     queued → offered → opening → running → verifying → ended
 *
 * Owns this order and the source file. When its bytes go out is the send pump's decision; how many offers may wait is the
 * manager's.
 */
import type { PeerMessageOf, TransferMessage } from '../protocol/peer-messages.js';
import { doneEvent, failedEvent, type TransferContext, type TransferFacts } from './context.js';
import type { TransferOutcome, TransferSnapshot } from './events.js';
import { peerFailure, readFailure, TransferFailure } from './failure.js';
import { ProgressMeter } from './progress.js';
import type { Pumped, SendPump } from './send-pump.js';
import { SourceFile, type OpenSource, type SourceInfo } from './source-file.js';

export type OutgoingState = 'queued' | 'offered' | 'opening' | 'running' | 'verifying' | 'ended';

export interface OutgoingOptions {
  readonly context: TransferContext;
  readonly pump: SendPump;
  readonly id: number;
  readonly transfer: number;
  readonly source: SourceInfo;
  readonly openSource: OpenSource;
  /** The state has changed; called before anything else follows from that. */
  readonly onMove: (transfer: OutgoingTransfer) => void;
}

export class OutgoingTransfer implements Pumped {
  /** The event that ended the transfer; never rejects. */
  readonly finished: Promise<TransferOutcome>;
  readonly facts: TransferFacts;
  readonly #options: OutgoingOptions;
  readonly #context: TransferContext;
  readonly #progress: ProgressMeter;
  #resolve: (outcome: TransferOutcome) => void = () => undefined;
  #state: OutgoingState = 'queued';
  #source: SourceFile | undefined;
  #reading: Promise<Buffer | undefined> | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** Batches read, or being read, and not yet with the link. */
  #unsent = 0;
  /** Absolute offsets: the first grant, and the latest. */
  #credit = { first: 0, upTo: 0 };
  #startMs = 0;
  #blake3 = '';

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#context = options.context;
    const { id, transfer, source } = options;
    this.facts = { id, transfer, direction: 'outgoing', name: source.name, size: source.size };
    this.finished = new Promise((resolve) => (this.#resolve = resolve));
    this.#progress = new ProgressMeter(this.#context.clock, (bytes, rate) =>
      this.#context.emit({ event: 'progress', id, bytes, total: source.size, rate }),
    );
  }

  get state(): OutgoingState {
    return this.#state;
  }

  get snapshot(): TransferSnapshot {
    const { id, direction, name, size } = this.facts;
    const state = this.#state === 'queued' || this.#state === 'offered' ? 'offered' : 'running';
    return { id, peer: this.#context.peer, direction, name, size, bytes: this.#progress.bytes, state };
  }

  offer(): void {
    const { transfer, name, size } = this.facts;
    this.#move('offered');
    this.#context.port.send({ type: 'offer', transfer, kind: 'file', name, size });
  }

  /** A message of the receiver about this transfer. One that does not fit the state ends the transfer. */
  receive(message: Exclude<TransferMessage, { type: 'offer' | 'done' }>): void {
    switch (message.type) {
      case 'accept':
        this.#accepted(message);
        break;
      case 'credit':
        this.#credited(message.upTo);
        break;
      case 'verified':
        this.#verified();
        break;
      case 'reject':
      case 'cancel':
        void this.end(peerFailure(this.#context.peer, message), 'nobody');
    }
  }

  /** Ends the transfer without success; `finished` follows when the file is closed. Harmless after an end. */
  async end(failure: TransferFailure, tell: 'peer' | 'nobody'): Promise<void> {
    if (this.live) this.#fail(failure, tell === 'peer' && this.#state !== 'queued');
    await this.finished;
  }

  get live(): boolean {
    return this.#state !== 'ended';
  }

  get ready(): boolean {
    if (this.#state !== 'running' || this.#source === undefined || this.#reading !== undefined) return false;
    return this.#source.at < Math.min(this.facts.size, this.#credit.upTo);
  }

  async read(buffer: Buffer, maxBytes: number): Promise<Buffer | undefined> {
    const source = this.#source;
    if (source === undefined) throw new Error('read of a transfer that is not ready');
    const end = Math.min(this.facts.size, this.#credit.upTo);
    this.#unsent += 1;
    this.#reading = source.readFrames(buffer, this.facts.transfer, end, maxBytes).catch((error: unknown) => this.#failed(error));
    const frames = await this.#reading;
    this.#reading = undefined;
    return frames;
  }

  sent(): void {
    this.#unsent -= 1;
    // Batches go out in the order in which they were read.
    if (this.#unsent === 0 && this.#source?.at === this.facts.size) void this.#finish();
  }

  lost(error: unknown): void {
    void this.end(new TransferFailure('link-lost', 'The connection was lost.', { cause: error }), 'nobody');
  }

  #fail(failure: TransferFailure, tell: boolean): void {
    this.#move('ended');
    const { code, message } = failure;
    if (tell) this.#context.port.send({ type: 'cancel', transfer: this.facts.transfer, by: 'sender', code, message });
    void this.#conclude(failedEvent(this.#context, this.facts, failure));
  }

  #accepted(message: PeerMessageOf<'accept'>): void {
    if (this.#state !== 'offered' || message.offset !== 0) {
      this.#outOfOrder(message.type);
      return;
    }
    this.#credit = { first: message.credit, upTo: message.credit };
    this.#startMs = this.#context.clock.now();
    this.#progress.start();
    this.#move('opening');
    this.#opening = this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.#source = await SourceFile.open(this.#options.source, this.#options.openSource);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#state !== 'opening') return;
    this.#move('running');
    if (this.facts.size === 0) void this.#finish();
    else this.#options.pump.add(this);
  }

  #credited(upTo: number): void {
    if (this.#state === 'offered') {
      this.#outOfOrder('credit');
      return;
    }
    this.#credit = { ...this.#credit, upTo: Math.max(this.#credit.upTo, upTo) };
    // The grant runs ahead of what is written by the first grant.
    const written = this.#credit.upTo - this.#credit.first;
    this.#progress.reach(Math.min(written, this.#source?.at ?? 0));
    this.#options.pump.wake();
  }

  async #finish(): Promise<void> {
    const source = this.#source;
    if (source === undefined || this.#state !== 'running') return;
    try {
      this.#blake3 = await source.finish();
    } catch (error) {
      this.#failed(error);
      return;
    }
    // A cancel may have come while the file was looked at.
    if (!this.live) return;
    this.#move('verifying');
    this.#context.port.send({ type: 'done', transfer: this.facts.transfer, blake3: this.#blake3 });
  }

  #verified(): void {
    if (this.#state !== 'verifying') {
      this.#outOfOrder('verified');
      return;
    }
    this.#move('ended');
    void this.#conclude(doneEvent(this.#context, this.facts, { startMs: this.#startMs, blake3: this.#blake3 }));
  }

  #failed(error: unknown): undefined {
    void this.end(readFailure(error), 'peer');
    return undefined;
  }

  #outOfOrder(type: string): void {
    void this.end(new TransferFailure('out-of-order', `The receiver sent "${type}" at the wrong time.`), 'peer');
  }

  #move(state: OutgoingState): void {
    this.#state = state;
    this.#options.onMove(this);
  }

  async #conclude(outcome: TransferOutcome): Promise<void> {
    this.#progress.stop();
    this.#options.pump.remove(this);
    await this.#opening;
    await this.#reading;
    await this.#source?.close();
    this.#context.emit(outcome);
    this.#resolve(outcome);
  }
}
