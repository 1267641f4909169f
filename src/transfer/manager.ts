/**
 * All transfers of one session: which message goes to which, how many there may be, what policy says (PROTOCOL.md 7.5).
 *
 * Owns numbers, limits and queues. What happens inside one transfer is in outgoing.ts and incoming.ts; sockets and
 * acknowledgement of chat are the session's.
 */
import { debuglog } from 'node:util';
import type { Clock } from '../net/clock.js';
import { P2pError, RemoteViolation, type TransferCode } from '../protocol/errors.js';
import { transferLimits } from '../protocol/limits.js';
import { safeFileName } from '../protocol/names.js';
import type { PeerMessageOf, TransferMessage } from '../protocol/peer-messages.js';
import { BufferPool } from './buffer-pool.js';
import { failedEvent, type TransferContext, type TransferPort } from './context.js';
import { EndedTransfers } from './ended-transfers.js';
import type { TransferEvent, TransferOutcome, TransferSnapshot } from './events.js';
import { peerFailure, TransferFailure } from './failure.js';
import { IncomingTransfer, type PartialSource } from './incoming.js';
import { OutgoingTransfer } from './outgoing.js';
import { SendPump } from './send-pump.js';
import { inspectSource, openSource, type OpenSource } from './source-file.js';

export type { TransferPort } from './context.js';

const debug = debuglog('p2p-transfer');

/** What is done with offers: a person decides, all are taken, none is. */
export type OfferPolicy = 'ask' | 'all' | 'none';

export interface TransferManagerOptions {
  /** User name of the other side. */
  readonly peer: string;
  readonly port: TransferPort;
  /** Shared by all sessions. */
  readonly store: PartialSource;
  readonly policy: OfferPolicy;
  /** Numbers for people; shared by all sessions. */
  nextId(): number;
  emit(event: TransferEvent): void;
  readonly clock: Clock;
  /** Replaced in tests, to read files that fail. */
  readonly openSource?: OpenSource;
}

export class TransferManager {
  readonly #options: TransferManagerOptions;
  readonly #context: TransferContext;
  readonly #pool = new BufferPool();
  readonly #pump: SendPump;
  readonly #openSource: OpenSource;
  /** By number on the wire, oldest first; a transfer is in here until it has ended. */
  readonly #outgoing = new Map<number, OutgoingTransfer>();
  readonly #incoming = new Map<number, IncomingTransfer>();
  readonly #ended = new EndedTransfers();
  /** Ended transfers that still close files; awaited by {@link close}. */
  readonly #ending = new Set<Promise<TransferOutcome>>();
  /** Incoming ones among them. */
  #endingIncoming = 0;
  #nextTransfer = 1;
  #closed: Promise<void> | undefined;

  constructor(options: TransferManagerOptions) {
    this.#options = options;
    const { peer, port, clock } = options;
    this.#context = { peer, port, clock, pool: this.#pool, emit: (event) => options.emit(event) };
    this.#pump = new SendPump((frames) => port.sendData(frames), this.#pool, clock);
    this.#openSource = options.openSource ?? openSource;
  }

  /**
   * Offers a regular file. Resolves once the offer is out, or in line behind others that the peer has not answered.
   *
   * @returns `id` for people; `finished` resolves with the event that ends the transfer and never rejects.
   * @throws P2pError `no-such-file`, `not-a-file`, `read-failed`, `too-many-transfers`, `session-closed`.
   */
  async offerFile(path: string): Promise<{ readonly id: number; readonly finished: Promise<TransferOutcome> }> {
    const source = await inspectSource(path, this.#openSource);
    if (this.#closed !== undefined) throw new P2pError('session-closed', `The session with ${this.#options.peer} has ended.`);
    if (this.#outgoing.size >= transferLimits.queuedOffers) {
      throw new P2pError('too-many-transfers', `${transferLimits.queuedOffers} offers wait for ${this.#options.peer} already. Try again when some are answered.`);
    }
    const transfer = new OutgoingTransfer({
      context: this.#context,
      pump: this.#pump,
      id: this.#options.nextId(),
      transfer: this.#nextTransfer++,
      source,
      openSource: this.#openSource,
      onMove: (moved) => this.#outgoingMoved(moved),
    });
    const { id, name, size } = transfer.facts;
    this.#outgoing.set(transfer.facts.transfer, transfer);
    this.#options.emit({ event: 'offer', id, peer: this.#options.peer, direction: 'outgoing', name, kind: 'file', size });
    this.#sendOffers();
    return { id, finished: transfer.finished };
  }

  /**
   * A transfer message of the peer.
   *
   * @throws RemoteViolation `unexpected-message` where it offers under a number that it has used.
   */
  handleMessage(message: TransferMessage): void {
    if (this.#closed !== undefined) return;
    switch (message.type) {
      case 'offer':
        this.#offered(message);
        break;
      case 'done':
        this.#incoming.get(message.transfer)?.done(message.blake3);
        break;
      case 'cancel':
        if (message.by === 'sender') this.#cancelledBySender(message);
        else this.#answered(message);
        break;
      default:
        this.#answered(message);
    }
  }

  /**
   * A piece of file data; `bytes` is copied before this returns.
   *
   * @throws RemoteViolation `unexpected-message` for data of a transfer that was never offered, and for more than a few
   * frames of one that has ended.
   */
  handleData(transfer: number, offset: number, bytes: Uint8Array): void {
    if (this.#closed !== undefined) return;
    const incoming = this.#incoming.get(transfer);
    if (incoming === undefined) this.#ended.stray(transfer, offset, bytes.length);
    else incoming.data(offset, bytes);
  }

  /** Whether `id` is an offer of the peer that waits for an answer. */
  hasOffer(id: number): boolean {
    return this.#offer(id) !== undefined;
  }

  /** Whether `id` is an offer or transfer, in either direction, that has not ended. */
  has(id: number): boolean {
    return this.#transfer(id) !== undefined;
  }

  /**
   * Takes up an offer. Resolves once the peer has been told, or the transfer waits for one of those under way to end.
   *
   * @throws P2pError `no-such-offer`.
   */
  async accept(id: number): Promise<void> {
    await this.#take(this.#mustOffer(id));
  }

  /** @throws P2pError `no-such-offer`. */
  async reject(id: number): Promise<void> {
    await this.#mustOffer(id).end(new TransferFailure('rejected', 'The receiver declined the file.'), 'peer');
  }

  /**
   * Stops an offer or a transfer in either direction; resolves when its files are closed and its partial is gone.
   *
   * @throws P2pError `no-such-transfer`.
   */
  async cancel(id: number): Promise<void> {
    const transfer = this.#transfer(id);
    if (transfer === undefined) throw new P2pError('no-such-transfer', `There is no transfer ${id}.`);
    const by = transfer.facts.direction === 'outgoing' ? 'sender' : 'receiver';
    await transfer.end(new TransferFailure('cancelled', `The ${by} cancelled the transfer.`), 'peer');
  }

  /** Offers and transfers that have not ended, oldest first. */
  snapshots(): TransferSnapshot[] {
    return [...this.#outgoing.values(), ...this.#incoming.values()].map((one) => one.snapshot).sort((a, b) => a.id - b.id);
  }

  /**
   * The session has ended: every transfer fails with `code`, without a word to the peer. Resolves when all files are
   * closed and all partials removed. Idempotent: the first call's reason stands.
   */
  close(code: TransferCode, message: string): Promise<void> {
    this.#closed ??= this.#close(new TransferFailure(code, message));
    return this.#closed;
  }

  async #close(failure: TransferFailure): Promise<void> {
    const ends = [...this.#outgoing.values(), ...this.#incoming.values()].map((one) => one.end(failure, 'nobody'));
    await Promise.all([...ends, ...this.#ending]);
    this.#pool.trim();
  }

  #offered(message: PeerMessageOf<'offer'>): void {
    const { transfer, size } = message;
    if (this.#incoming.has(transfer) || this.#ended.has(transfer)) {
      throw new RemoteViolation('unexpected-message', 'The number of a transfer was used twice.');
    }
    const unanswered = [...this.#incoming.values()].filter((one) => one.state === 'offered' || one.state === 'wanted').length;
    if (unanswered >= transferLimits.pendingOffersPerPeer) {
      this.#refuse(message, new TransferFailure('too-many-transfers', 'Too many offers wait for an answer.'));
      return;
    }
    const id = this.#options.nextId();
    const name = safeFileName(message.name);
    const failure =
      name === undefined
        ? new TransferFailure('bad-name', 'The receiver does not take a file of this name.')
        : new TransferFailure('rejected-by-policy', 'The receiver takes no files.');
    if (name === undefined || this.#options.policy === 'none') {
      this.#refuse(message, failure);
      const facts = { id, transfer, direction: 'incoming', name: name ?? message.name, size } as const;
      this.#options.emit(failedEvent(this.#context, facts, failure));
      return;
    }
    const { store } = this.#options;
    const incoming = new IncomingTransfer({ context: this.#context, store, id, offer: message, name, onMove: (moved) => this.#incomingMoved(moved) });
    this.#incoming.set(transfer, incoming);
    this.#options.emit({ event: 'offer', id, peer: this.#options.peer, direction: 'incoming', name, kind: 'file', size });
    if (this.#options.policy === 'all') void this.#take(incoming);
  }

  #refuse(message: PeerMessageOf<'offer'>, failure: TransferFailure): void {
    this.#ended.add(message.transfer);
    this.#options.port.send({ type: 'reject', transfer: message.transfer, code: failure.code, message: failure.message });
  }

  /** A word of the receiver. One about a transfer that has ended crossed with the end. */
  #answered(message: Exclude<TransferMessage, { type: 'offer' | 'done' }>): void {
    const transfer = this.#outgoing.get(message.transfer);
    if (transfer === undefined || transfer.state === 'queued') debug('%s for no transfer under way', message.type);
    else transfer.receive(message);
  }

  #cancelledBySender(message: PeerMessageOf<'cancel'>): void {
    void this.#incoming.get(message.transfer)?.end(peerFailure(this.#options.peer, message), 'nobody');
  }

  async #take(incoming: IncomingTransfer): Promise<void> {
    incoming.want();
    if (this.#activeIncoming < transferLimits.activePerPeer) await incoming.begin();
  }

  /** Those that may hold a file open: an ended one does until it is closed, and offers cancelled at once would open any number. */
  get #activeIncoming(): number {
    return this.#endingIncoming + [...this.#incoming.values()].filter((one) => one.state !== 'offered' && one.state !== 'wanted').length;
  }

  #outgoingMoved(transfer: OutgoingTransfer): void {
    if (transfer.state === 'ended') {
      this.#outgoing.delete(transfer.facts.transfer);
      void this.#track(transfer.finished);
    }
    if (transfer.state === 'opening' || transfer.state === 'ended') this.#sendOffers();
  }

  #incomingMoved(transfer: IncomingTransfer): void {
    if (transfer.state !== 'ended') return;
    this.#incoming.delete(transfer.facts.transfer);
    this.#ended.add(transfer.facts.transfer);
    void this.#trackIncoming(transfer.finished);
  }

  async #trackIncoming(finished: Promise<TransferOutcome>): Promise<void> {
    this.#endingIncoming += 1;
    await this.#track(finished);
    this.#endingIncoming -= 1;
    const next = [...this.#incoming.values()].find((one) => one.state === 'wanted');
    if (next !== undefined && this.#closed === undefined && this.#activeIncoming < transferLimits.activePerPeer) void next.begin();
  }

  async #track(finished: Promise<TransferOutcome>): Promise<void> {
    this.#ending.add(finished);
    await finished;
    this.#ending.delete(finished);
    if (this.#outgoing.size + this.#incoming.size + this.#ending.size === 0) this.#pool.trim();
  }

  #offer(id: number): IncomingTransfer | undefined {
    return [...this.#incoming.values()].find((one) => one.facts.id === id && one.state === 'offered');
  }

  #mustOffer(id: number): IncomingTransfer {
    const offer = this.#offer(id);
    if (offer === undefined) throw new P2pError('no-such-offer', `There is no offer ${id} that waits for an answer.`);
    return offer;
  }

  #transfer(id: number): OutgoingTransfer | IncomingTransfer | undefined {
    return [...this.#outgoing.values(), ...this.#incoming.values()].find((one) => one.facts.id === id);
  }

  get #offersOut(): number {
    return [...this.#outgoing.values()].filter((one) => one.state === 'offered').length;
  }

  /** Puts own offers on the wire, as many as the peer lets wait. */
  #sendOffers(): void {
    if (this.#closed !== undefined) return;
    let room = transferLimits.pendingOffersPerPeer - this.#offersOut;
    for (const transfer of this.#outgoing.values()) {
      if (room <= 0) return;
      if (transfer.state !== 'queued') continue;
      transfer.offer();
      room -= 1;
    }
  }
}
