/**
 * One file on its way in: the receiver's half of PROTOCOL.md 7.5.
 *
 *     offered → wanted → opening → running → checking → publishing → ended
 *
 * Owns this order, the credit that it grants and the queue to the disk, which credit bounds. Whether an offer is wanted is
 * decided by policy or a person, when a wanted one may begin by the manager.
 */
import { debuglog } from 'node:util';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { errorText } from '../protocol/errors.js';
import { transferLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import { doneEvent, failedEvent, type TransferContext, type TransferFacts } from './context.js';
import type { TransferOutcome, TransferSnapshot } from './events.js';
import { TransferFailure, writeFailure } from './failure.js';
import type { PartialSink } from './partial-file.js';
import { ProgressMeter } from './progress.js';

const debug = debuglog('p2p-transfer');

/** Where partials come from; `ReceiveStore` is the real one. */
export interface PartialSource {
  create(): Promise<PartialSink>;
}

export type IncomingState = 'offered' | 'wanted' | 'opening' | 'running' | 'checking' | 'publishing' | 'ended';

/** States before `accept` has been said: an end is told as `reject`. */
const UNANSWERED: readonly IncomingState[] = ['offered', 'wanted', 'opening'];

export interface IncomingOptions {
  readonly context: TransferContext;
  readonly store: PartialSource;
  readonly id: number;
  readonly offer: PeerMessageOf<'offer'>;
  /** The name under which the file will be stored, made safe already. */
  readonly name: string;
  /** The state has changed; called before anything else follows from that. */
  readonly onMove: (transfer: IncomingTransfer) => void;
}

interface Block {
  readonly buffer: Buffer;
  /** Bytes of file in it, from its beginning. */
  readonly bytes: number;
}

export class IncomingTransfer {
  /** The event that ended the transfer, once its files are closed; never rejects. */
  readonly finished: Promise<TransferOutcome>;
  readonly facts: TransferFacts;
  readonly #options: IncomingOptions;
  readonly #context: TransferContext;
  readonly #progress: ProgressMeter;
  readonly #hasher = new Blake3Hasher();
  #state: IncomingState = 'offered';
  #sink: PartialSink | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** The buffer being filled, and full ones that wait for the disk; at most a window in all. */
  #filling: { readonly buffer: Buffer; bytes: number } | undefined;
  readonly #full: Block[] = [];
  #writing: Promise<void> | undefined;
  #received = 0;
  #written = 0;
  #granted = 0;
  #startMs = 0;
  #expected = '';
  #resolve: (outcome: TransferOutcome) => void = () => undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#context = options.context;
    this.finished = new Promise((resolve) => (this.#resolve = resolve));
    const { transfer, size } = options.offer;
    this.facts = { id: options.id, transfer, direction: 'incoming', name: options.name, size };
    this.#progress = new ProgressMeter(this.#context.clock, (bytes, rate) =>
      this.#context.emit({ event: 'progress', id: options.id, bytes, total: size, rate }),
    );
  }

  get state(): IncomingState {
    return this.#state;
  }

  get snapshot(): TransferSnapshot {
    const { id, direction, name, size } = this.facts;
    return { id, peer: this.#context.peer, direction, name, size, bytes: this.#received, state: this.#state === 'offered' ? 'offered' : 'running' };
  }

  /** The offer is taken up; {@link begin} follows when there is a place for it. */
  want(): void {
    this.#move('wanted');
  }

  /** Makes the partial and says `accept`. */
  begin(): Promise<void> {
    this.#move('opening');
    this.#opening = this.#open();
    return this.#opening;
  }

  /** File bytes; `bytes` is copied before this returns. Anything but the next ones, within credit, ends the transfer. */
  data(offset: number, bytes: Uint8Array): void {
    const { size } = this.facts;
    if (this.#state === 'ended' || this.#state === 'publishing') return;
    const failure = this.#misplaced(offset, bytes.length);
    if (failure !== undefined) {
      void this.end(failure, 'peer');
      return;
    }
    this.#received += bytes.length;
    this.#progress.reach(this.#received);
    for (let at = 0; at < bytes.length; ) {
      const filling = (this.#filling ??= { buffer: this.#context.pool.take(), bytes: 0 });
      const part = bytes.subarray(at, at + transferLimits.bufferBytes - filling.bytes);
      filling.buffer.set(part, filling.bytes);
      filling.bytes += part.length;
      at += part.length;
      if (filling.bytes === transferLimits.bufferBytes || this.#received === size) {
        this.#full.push(filling);
        this.#filling = undefined;
      }
    }
    this.#write();
  }

  /** The sender says that all is sent, and what the whole hashes to. */
  done(blake3: string): void {
    if (this.#state !== 'running') {
      void this.end(new TransferFailure('out-of-order', 'The sender sent "done" at the wrong time.'), 'peer');
    } else if (this.#received !== this.facts.size) {
      void this.end(new TransferFailure('size-mismatch', 'The sender sent less than it had offered.'), 'peer');
    } else {
      this.#expected = blake3;
      this.#move('checking');
      this.#write();
    }
  }

  /**
   * Ends the transfer without success; resolves when its partial is gone. Harmless after an end, and too late once the
   * file is getting its name.
   */
  async end(failure: TransferFailure, tell: 'peer' | 'nobody'): Promise<void> {
    if (this.#state === 'publishing') await this.#writing;
    if (this.#live) this.#fail(failure, tell);
    await this.finished;
  }

  #fail(failure: TransferFailure, tell: 'peer' | 'nobody'): void {
    const answered = !UNANSWERED.includes(this.#state);
    this.#move('ended');
    const { transfer } = this.facts;
    const { code, message } = failure;
    if (tell === 'peer') {
      this.#context.port.send(answered ? { type: 'cancel', transfer, by: 'receiver', code, message } : { type: 'reject', transfer, code, message });
    }
    void this.#conclude(failedEvent(this.#context, this.facts, failure));
  }

  async #open(): Promise<void> {
    try {
      this.#sink = await this.#options.store.create();
    } catch (error) {
      void this.end(writeFailure(error), 'peer');
      return;
    }
    if (this.#state !== 'opening') return;
    this.#startMs = this.#context.clock.now();
    this.#granted = transferLimits.windowBytes;
    this.#progress.start();
    this.#move('running');
    this.#context.port.send({ type: 'accept', transfer: this.facts.transfer, offset: 0, credit: this.#granted });
  }

  #write(): void {
    const sink = this.#sink;
    const idle = this.#full.length === 0 && this.#state !== 'checking';
    if (sink === undefined || idle || !this.#live || this.#writing !== undefined) return;
    this.#writing = this.#writeAll(sink).finally(() => {
      this.#writing = undefined;
      // What came between the last look and this moment.
      this.#write();
    });
  }

  /** Writes what is full, one block after the other, and concludes where that was the last. Never rejects but for a bug. */
  async #writeAll(sink: PartialSink): Promise<void> {
    try {
      while (this.#full.length > 0 && this.#live) {
        await this.#writeBlock(sink, this.#full.shift() as Block);
      }
      if (this.#state === 'checking') await this.#check(sink);
    } catch (error) {
      void this.end(writeFailure(error), 'peer');
    }
  }

  async #writeBlock(sink: PartialSink, block: Block): Promise<void> {
    const bytes = block.buffer.subarray(0, block.bytes);
    try {
      const write = sink.write(bytes);
      // While the write runs in its own thread.
      this.#hasher.update(bytes);
      await write;
    } finally {
      this.#context.pool.give(block.buffer);
    }
    this.#written += bytes.length;
    this.#grant();
  }

  /** Beyond `size` too: the sender reads from it how much is written. */
  #grant(): void {
    const upTo = Math.min(this.#written + transferLimits.windowBytes, Number.MAX_SAFE_INTEGER);
    if (this.#state !== 'running' || upTo - this.#granted < transferLimits.creditStepBytes) return;
    this.#granted = upTo;
    this.#context.port.send({ type: 'credit', transfer: this.facts.transfer, upTo });
  }

  async #check(sink: PartialSink): Promise<void> {
    const blake3 = this.#hasher.digest('hex');
    if (blake3 !== this.#expected) throw new TransferFailure('hash-mismatch', 'What arrived is not what was sent: the hashes differ.');
    await sink.flush();
    // A cancel may have come meanwhile; from here on it is too late for one.
    if (!this.#live) return;
    this.#move('publishing');
    let path: string;
    try {
      path = await sink.publish(this.facts.name);
    } catch (error) {
      this.#move('checking');
      throw error;
    }
    this.#sink = undefined;
    this.#move('ended');
    this.#context.port.send({ type: 'verified', transfer: this.facts.transfer });
    void this.#conclude(doneEvent(this.#context, this.facts, { startMs: this.#startMs, blake3, path }));
  }

  get #live(): boolean {
    return this.#state !== 'ended';
  }

  /** Why these bytes are not the next ones that may come. */
  #misplaced(offset: number, bytes: number): TransferFailure | undefined {
    const end = offset + bytes;
    if (end > this.facts.size) return new TransferFailure('size-mismatch', 'The sender sent more than it had offered.');
    if (offset !== this.#received) return new TransferFailure('out-of-order', 'The sender left a gap or repeated a part.');
    if (end > this.#granted) return new TransferFailure('out-of-order', 'The sender sent more than it was allowed to.');
    return undefined;
  }

  #move(state: IncomingState): void {
    this.#state = state;
    this.#options.onMove(this);
  }

  async #conclude(outcome: TransferOutcome): Promise<void> {
    this.#progress.stop();
    await this.#opening;
    if (outcome.event === 'transfer-failed') await this.#writing;
    for (const { buffer } of this.#full.splice(0)) this.#context.pool.give(buffer);
    if (this.#filling !== undefined) this.#context.pool.give(this.#filling.buffer);
    this.#filling = undefined;
    try {
      await this.#sink?.discard();
    } catch (error) {
      // Nothing more can be done for it here; the next start removes what is left.
      debug('partial not removed: %s', errorText(error));
    }
    this.#context.emit(outcome);
    this.#resolve(outcome);
  }
}
