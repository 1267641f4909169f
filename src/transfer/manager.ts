/**
 * All transfers of one session over its links: which message goes to which, how many there may be, what policy says
 * (PROTOCOL.md 7.5).
 *
 * Owns numbers, limits and queues. What happens inside one transfer is in outgoing.ts and incoming.ts; sockets and
 * acknowledgement of chat are the session's.
 */
import type { Readable } from 'node:stream';
import { debuglog } from 'node:util';
import type { Clock, Timer } from '../net/clock.js';
import { P2pError, type TransferCode } from '../protocol/errors.js';
import type { EntryStatus } from '../protocol/frames.js';
import type { TransferMessage } from '../protocol/peer-messages.js';
import type { BlockPools } from './buffer-pool.js';
import { SessionPort, type TransferContext, type TransferPort } from './context.js';
import type { TransferEvent, TransferOutcome, TransferSnapshot } from './events.js';
import { TransferFailure } from './failure.js';
import { IncomingTransfers } from './incoming-transfers.js';
import type { OfferPolicy } from './offer-policy.js';
import { OutgoingTransfers } from './outgoing-transfers.js';
import { PipeSource } from './source/pipe-source.js';
import type { RateLimiter } from './rate-limit.js';
import type { OpenSource, SourceEvents } from './source/source.js';
import type { Store } from './store/store.js';
import type { WindowBudget } from './window-budget.js';

export type { TransferPort } from './context.js';
export type { OfferPolicy } from './offer-policy.js';

const debug = debuglog('p2p-transfer');

/** How often it is looked what transfers wait for. */
const TICK_MS = 1000;

export interface TransferManagerOptions {
  /** User name of the other side. */
  readonly peer: string;
  /** Of the other side's key. */
  readonly fingerprint: string;
  /** Shared by all sessions, as are the next five. */
  readonly store: Store;
  readonly openSource: OpenSource;
  readonly limiter: RateLimiter;
  readonly windows: WindowBudget;
  readonly blocks: BlockPools;
  /** Numbers for people. */
  nextId(): number;
  readonly policy: OfferPolicy;
  readonly clock: Clock;
  emit(event: TransferEvent): void;
}

export interface Offered {
  /** For people. */
  readonly id: number;
  /** The event that ends the transfer; never rejects. */
  readonly finished: Promise<TransferOutcome>;
}

export class TransferManager {
  readonly #options: TransferManagerOptions;
  readonly #port = new SessionPort();
  readonly #outgoing: OutgoingTransfers;
  readonly #incoming: IncomingTransfers;
  #ticker: Timer | undefined;
  #closed: Promise<void> | undefined;

  /** Nothing goes out before {@link attach}. */
  constructor(options: TransferManagerOptions) {
    this.#options = options;
    const { peer, fingerprint, clock, limiter, blocks } = options;
    const context: TransferContext = { peer, fingerprint, clock, limiter, port: this.#port, pool: blocks.receive, emit: (event) => options.emit(event) };
    const onChange = () => this.#changed();
    this.#outgoing = new OutgoingTransfers({ context, pool: blocks.send, nextId: () => options.nextId(), onChange });
    this.#incoming = new IncomingTransfers({ context, store: options.store, windows: options.windows, policy: options.policy, nextId: () => options.nextId(), onChange });
  }

  /**
   * There is a link. `first`: of the session. `continued`: the other side knows of everything; what has not ended is offered again.
   * `restarted`: the other side's program is another one: what it was sending has ended, our own is offered to it anew.
   */
  attach(port: TransferPort, how: 'first' | 'continued' | 'restarted'): void {
    if (this.#closed !== undefined) return;
    this.#port.link = port;
    this.#incoming.linked(how);
    this.#outgoing.linked(how === 'continued');
    if (how === 'continued') port.send({ type: 'offers-end' });
  }

  /** The link is lost: everything waits for the next. */
  detach(): void {
    this.#port.link = undefined;
    this.#outgoing.unlinked();
    this.#incoming.unlinked();
  }

  /**
   * Offers a file or folder. Resolves once the offer is out, or in line behind others that the peer has not answered.
   *
   * @throws P2pError `no-such-file`, `not-a-file`, `read-failed`, `too-many-transfers`, `session-closed`.
   */
  offer(path: string): Promise<Offered> {
    return this.#offer((events) => this.#options.openSource(path, events));
  }

  /** Offers what comes on `input` under `name`. @throws P2pError like {@link offer}. */
  offerPipe(input: Readable, name: string): Promise<Offered> {
    return this.#offer(() => Promise.resolve(new PipeSource(input, name)));
  }

  /** @throws RemoteViolation `unexpected-message` where an offer comes under a number that was used for another. */
  handleMessage(message: TransferMessage): void {
    if (this.#closed !== undefined) return;
    switch (message.type) {
      case 'offer':
        this.#incoming.offered(message);
        return;
      case 'offers-end':
        this.#incoming.offersEnd();
        return;
      case 'tally':
      case 'surveyed':
      case 'entries':
        this.#incoming.receive(message);
        return;
      case 'accept':
      case 'reject':
      case 'survey':
      case 'plan':
      case 'credit':
      case 'verified':
        this.#outgoing.receive(message);
        return;
      case 'pause':
      case 'resume':
      case 'waits':
        if (message.by === 'sender') this.#incoming.receive(message);
        else this.#outgoing.receive(message);
        return;
      case 'cancel':
        if (message.by === 'sender') this.#incoming.cancelled(message);
        else this.#outgoing.receive(message);
    }
  }

  /**
   * A piece of file data; `bytes` is copied before this returns.
   *
   * @throws RemoteViolation `unexpected-message` for data of a transfer that was never offered, and for more than was
   * granted to one that has ended.
   */
  handleData(transfer: number, entry: number, offset: number, bytes: Uint8Array, first: boolean): void {
    if (this.#closed === undefined) this.#incoming.data(transfer, entry, offset, bytes, first);
  }

  /** An end frame. @throws RemoteViolation like {@link handleData}. */
  handleEntryEnd(transfer: number, entry: number, status: EntryStatus, blake3: string): void {
    if (this.#closed === undefined) this.#incoming.entryEnd(transfer, entry, status, blake3);
  }

  /** Whether `id` is an offer of the peer that waits for an answer. */
  hasOffer(id: number): boolean {
    return this.#incoming.offer(id) !== undefined;
  }

  /** Whether `id` is an offer or transfer, in either direction, that has not ended. */
  has(id: number): boolean {
    return this.#find(id) !== undefined;
  }

  /** Takes up an offer, at once or when others have ended. @throws P2pError `no-such-offer`. */
  async accept(id: number): Promise<void> {
    // Before anything is awaited: whoever accepts twice in a row means two offers.
    this.#incoming.take(this.#mustOffer(id));
    await Promise.resolve();
  }

  /** @throws P2pError `no-such-offer`. */
  async reject(id: number): Promise<void> {
    await this.#mustOffer(id).end(new TransferFailure('rejected', 'The receiver declined the file.', { by: 'you' }), 'peer');
  }

  /** Stops an offer or a transfer in either direction; resolves when its files are closed. @throws P2pError `no-such-transfer`. */
  async cancel(id: number): Promise<void> {
    const transfer = this.#must(id);
    const by = transfer.facts.direction === 'outgoing' ? 'sender' : 'receiver';
    await transfer.end(new TransferFailure('cancelled', `The ${by} cancelled the transfer.`, { by: 'you' }), 'peer');
  }

  /** Both sides stop until {@link resume}. @throws P2pError `no-such-transfer`. */
  async pause(id: number): Promise<void> {
    await Promise.resolve();
    this.#under(id).pause();
  }

  /** Takes our own pause back. @throws P2pError `no-such-transfer`, also where only the peer has paused it. */
  async resume(id: number): Promise<void> {
    await Promise.resolve();
    const transfer = this.#under(id);
    if (transfer.standing.pausedBy('you') !== undefined) {
      transfer.resume();
      return;
    }
    const why = transfer.standing.pausedBy('peer') === undefined ? 'is not paused' : `was paused by ${this.#options.peer}, who alone can resume it`;
    throw new P2pError('no-such-transfer', `Transfer ${id} ${why}.`);
  }

  /** Offers and transfers that have not ended, oldest first. */
  snapshots(): TransferSnapshot[] {
    return [...this.#outgoing.live(), ...this.#incoming.live()].map((one) => one.snapshot).sort((a, b) => a.id - b.id);
  }

  /**
   * The session has ended: every transfer fails with `code`, without a word to the peer. What was received is kept, to be
   * continued another time. Resolves when all files are closed. Idempotent: the first call's reason stands.
   */
  close(code: TransferCode, message: string): Promise<void> {
    this.#closed ??= this.#close(new TransferFailure(code, message));
    return this.#closed;
  }

  async #close(failure: TransferFailure): Promise<void> {
    await Promise.all([this.#outgoing.close(failure), this.#incoming.close(failure)]);
    this.#changed();
  }

  async #offer(open: (events: SourceEvents) => ReturnType<OpenSource>): Promise<Offered> {
    const gone = () => new P2pError('session-closed', `The session with ${this.#options.peer} has ended.`);
    if (this.#closed !== undefined) throw gone();
    const transfer = await this.#outgoing.open(open);
    if (this.#hasClosed()) {
      await transfer.end(new TransferFailure('session-closed', 'The session has ended.'), 'nobody');
      throw gone();
    }
    this.#outgoing.start(transfer);
    return { id: transfer.facts.id, finished: transfer.finished };
  }

  /** A method, since the compiler takes the field for unchanged over an await. */
  #hasClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The transfers have changed: is there anything to look at? */
  #changed(): void {
    const busy = this.#outgoing.busy || this.#incoming.busy;
    if (busy && this.#closed === undefined) {
      this.#ticker ??= this.#options.clock.every(TICK_MS, () => {
        for (const transfer of [...this.#outgoing.live(), ...this.#incoming.live()]) transfer.tick();
      });
      return;
    }
    this.#ticker?.stop();
    this.#ticker = undefined;
    if (!busy) debug('no transfer with %s is left', this.#options.peer);
  }

  #find(id: number) {
    return [...this.#outgoing.live(), ...this.#incoming.live()].find((one) => one.facts.id === id);
  }

  #must(id: number) {
    const transfer = this.#find(id);
    if (transfer === undefined) throw new P2pError('no-such-transfer', `There is no transfer ${id}.`);
    return transfer;
  }

  /** One that has been accepted. */
  #under(id: number) {
    const transfer = this.#must(id);
    const { state } = transfer.snapshot;
    if (state === 'offered' || state === 'queued') throw new P2pError('no-such-transfer', `Transfer ${id} has not begun. CANCEL_FILE ${id} takes it back.`);
    return transfer;
  }

  #mustOffer(id: number) {
    const offer = this.#incoming.offer(id);
    if (offer === undefined) throw new P2pError('no-such-offer', `There is no offer ${id} that waits for an answer.`);
    return offer;
  }
}

