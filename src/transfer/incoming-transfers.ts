/**
 * The incoming transfers of one session: who may offer what, which of those taken may run, what is remembered of those that
 * have ended (PROTOCOL.md 7.5.4, 7.5.5).
 */
import { debuglog } from 'node:util';
import { RemoteViolation } from '../protocol/errors.js';
import type { EntryStatus } from '../protocol/frames.js';
import { transferLimits } from '../protocol/limits.js';
import { canonicalUserName, safeFileName } from '../protocol/names.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import { failedEvent, type TransferContext } from './context.js';
import { EndedTransfers } from './ended-transfers.js';
import { peerFailure, TransferFailure, writeFailure } from './failure.js';
import type { OfferMessage } from './incoming-offer.js';
import { IncomingTransfer, type SenderMessage } from './incoming.js';
import { decide, type OfferPolicy } from './offer-policy.js';
import type { Outlook, Store } from './store/store.js';
import type { WindowBudget } from './window-budget.js';

const debug = debuglog('p2p-transfer');

const NOTHING_KNOWN: Outlook = { free: undefined, exists: false, same: false, partial: 0 };

export interface IncomingTransfersOptions {
  readonly context: TransferContext;
  readonly store: Store;
  readonly windows: WindowBudget;
  readonly policy: OfferPolicy;
  nextId(): number;
  /** One has begun, moved on or ended. */
  onChange(): void;
}

export class IncomingTransfers {
  readonly #options: IncomingTransfersOptions;
  /** By number on the wire, oldest first; a transfer is in here until it has ended. */
  readonly #transfers = new Map<number, IncomingTransfer>();
  /** Ended ones that still close their place, with all that they hold. */
  readonly #ending = new Set<IncomingTransfer>();
  #ended = new EndedTransfers();
  /** Stops to wait for a window. */
  #waiting: (() => void) | undefined;
  #closed = false;

  constructor(options: IncomingTransfersOptions) {
    this.#options = options;
  }

  /** Whether anything is open. */
  get busy(): boolean {
    return this.#transfers.size + this.#ending.size > 0;
  }

  live(): Iterable<IncomingTransfer> {
    return this.#transfers.values();
  }

  /** An offer that waits for an answer, by its number for people. */
  offer(id: number): IncomingTransfer | undefined {
    return [...this.#transfers.values()].find((one) => one.facts.id === id && one.state === 'offered');
  }

  /** @throws RemoteViolation `unexpected-message` where the number was used for another offer. */
  offered(message: OfferMessage): void {
    const { port } = this.#options.context;
    const ended = this.#ended.get(message.transfer);
    const known = this.#transfers.get(message.transfer);
    if (known !== undefined && !known.repeated && known.offer.isSame(message)) {
      known.offeredAgain(message);
      return;
    }
    if (known !== undefined || ended?.mayRepeat === false) {
      throw new RemoteViolation('unexpected-message', 'The number of a transfer was used twice.');
    }
    if (ended !== undefined) {
      // It did not hear the end before the link broke.
      if (ended.lastWord !== undefined) port.send(ended.lastWord);
      return;
    }
    this.#new(message);
  }

  /** What was not offered again by now has been ended by its sender. */
  offersEnd(): void {
    for (const transfer of [...this.#transfers.values()]) {
      if (!transfer.repeated) void transfer.end(new TransferFailure('link-lost', 'The sender ended the transfer while the connection was broken.'), 'nobody');
    }
  }

  receive(message: SenderMessage): void {
    this.#transfers.get(message.transfer)?.receive(message);
  }

  cancelled(message: PeerMessageOf<'cancel'>): void {
    void this.#transfers.get(message.transfer)?.end(peerFailure(this.#options.context.peer, message), 'nobody');
  }

  /** @throws RemoteViolation `unexpected-message`. */
  data(transfer: number, entry: number, offset: number, bytes: Uint8Array, first: boolean): void {
    const incoming = this.#transfers.get(transfer);
    if (incoming === undefined) this.#ended.strayData(transfer, bytes.length, first);
    else incoming.data(entry, offset, bytes, first);
  }

  /** @throws RemoteViolation `unexpected-message`. */
  entryEnd(transfer: number, entry: number, status: EntryStatus, blake3: string): void {
    const incoming = this.#transfers.get(transfer);
    if (incoming === undefined) this.#ended.strayEnd(transfer);
    else incoming.entryEnd(entry, status, blake3);
  }

  /** Takes an offer up; it begins at once, or when others have ended. */
  take(transfer: IncomingTransfer): void {
    transfer.want();
    this.#beginWanted();
  }

  linked(how: 'first' | 'continued' | 'restarted'): void {
    this.#ended.linked();
    for (const transfer of [...this.#transfers.values()]) {
      transfer.linked(true);
      if (how !== 'continued') void transfer.end(new TransferFailure('link-lost', 'The sender’s program was restarted. What has come is kept; send it again to go on.'), 'nobody');
    }
    // Another program counts from 1 again.
    if (how !== 'continued') this.#ended = new EndedTransfers();
  }

  unlinked(): void {
    for (const transfer of this.#transfers.values()) transfer.linked(false);
  }

  async close(failure: TransferFailure): Promise<void> {
    this.#closed = true;
    this.#waiting?.();
    this.#waiting = undefined;
    await Promise.all([...this.#transfers.values(), ...this.#ending].map((transfer) => transfer.end(failure, 'nobody')));
  }

  #new(message: OfferMessage): void {
    const { context, store } = this.#options;
    const unanswered = [...this.#transfers.values()].filter((one) => one.state === 'offered' || one.state === 'wanted').length;
    // Taken back while the disk was still being looked at: without a bound, offers could come and go faster than that.
    const takenBack = [...this.#ending].filter((one) => one.windowBytes === 0).length;
    if (Math.max(unanswered, takenBack) >= transferLimits.pendingOffersPerPeer) {
      this.#refuse(message, new TransferFailure('too-many-transfers', 'Too many offers wait for an answer.'));
      return;
    }
    const id = this.#options.nextId();
    const name = safeFileName(message.name);
    if (name === undefined) {
      const failure = new TransferFailure('bad-name', 'The receiver does not take a file of this name.');
      this.#refuse(message, failure);
      context.emit(failedEvent(context, { id, transfer: message.transfer, direction: 'incoming', name: message.name }, failure));
      return;
    }
    const transfer = new IncomingTransfer({ context, store, id, offer: message, name, onMove: (moved) => this.#moved(moved) });
    this.#transfers.set(message.transfer, transfer);
    this.#options.onChange();
    void transfer.announced(this.#announce(transfer));
  }

  /** Looks at the disk, tells people of the offer, and does what policy says. */
  async #announce(transfer: IncomingTransfer): Promise<void> {
    const { store, policy, context } = this.#options;
    const peer = canonicalUserName(context.peer);
    let outlook = NOTHING_KNOWN;
    // Who would be refused in any case is not worth a look at the disk.
    if (!(decide(policy, peer, transfer.offer.wanted, undefined) instanceof TransferFailure)) {
      try {
        outlook = await store.outlook(transfer.offer.wanted);
      } catch (error) {
        const failure = writeFailure(error);
        transfer.offer.announce(outlook, 'refused');
        void transfer.end(failure, 'peer');
        return;
      }
    }
    const decision = decide(policy, peer, transfer.offer.wanted, outlook);
    transfer.offer.announce(outlook, decision instanceof TransferFailure ? 'refused' : decision);
    if (transfer.state !== 'offered') return;
    if (decision === 'accepted') this.take(transfer);
    else if (decision !== 'ask') void transfer.end(decision, 'peer');
  }

  #refuse({ transfer }: OfferMessage, { code, message }: TransferFailure): void {
    const reject = { type: 'reject', transfer, code, message } as const;
    this.#ended.add(transfer, reject, 0);
    this.#options.context.port.send(reject);
  }

  #beginWanted(): void {
    const { windows } = this.#options;
    for (const transfer of [...this.#transfers.values()]) {
      if (this.#closed || transfer.state !== 'wanted' || !this.#mayBegin(transfer)) continue;
      const windowBytes = windows.take();
      if (windowBytes === undefined) {
        this.#waiting ??= windows.whenFree(() => this.#beginWanted());
        return;
      }
      void transfer.open(windowBytes);
    }
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Those count that may hold a file open: an ended one does until it is closed. */
  #mayBegin(transfer: IncomingTransfer): boolean {
    const small = isSmall(transfer);
    const open = [...this.#ending, ...this.#transfers.values()].filter((one) => one.windowBytes > 0 && isSmall(one) === small);
    return open.length < transferLimits.activePerPeer;
  }

  #moved(transfer: IncomingTransfer): void {
    if (transfer.state === 'ended') {
      this.#transfers.delete(transfer.facts.transfer);
      this.#ended.add(transfer.facts.transfer, transfer.lastWord, transfer.outstanding);
      void this.#awaitEnd(transfer);
    }
    this.#options.onChange();
  }

  async #awaitEnd(transfer: IncomingTransfer): Promise<void> {
    this.#ending.add(transfer);
    await transfer.finished;
    this.#ending.delete(transfer);
    if (transfer.windowBytes > 0) this.#options.windows.give(transfer.windowBytes);
    debug('transfer %d has ended', transfer.facts.id);
    this.#beginWanted();
    this.#options.onChange();
  }
}

function isSmall(transfer: IncomingTransfer): boolean {
  const { size } = transfer.offer.message;
  return size !== null && size <= transferLimits.smallBytes;
}
