/**
 * The outgoing transfers of one session: their numbers, which offers are on the wire, the pump that they share.
 */
import { debuglog } from 'node:util';
import { P2pError } from '../protocol/errors.js';
import { transferLimits } from '../protocol/limits.js';
import type { BufferPool } from './buffer-pool.js';
import type { TransferContext } from './context.js';
import type { TransferFailure } from './failure.js';
import { OutgoingTransfer, type ReceiverMessage } from './outgoing.js';
import { SendPump } from './send-pump.js';
import type { OpenSource, SourceEvents } from './source/source.js';

const debug = debuglog('p2p-transfer');

export interface OutgoingTransfersOptions {
  readonly context: TransferContext;
  readonly pool: BufferPool;
  nextId(): number;
  /** One has begun, moved on or ended. */
  onChange(): void;
}

export class OutgoingTransfers {
  readonly #options: OutgoingTransfersOptions;
  readonly #pump: SendPump;
  /** By number on the wire, oldest first; a transfer is in here until it has ended. */
  readonly #transfers = new Map<number, OutgoingTransfer>();
  /** Ended ones that still close their source. */
  readonly #ending = new Set<OutgoingTransfer>();
  #opening = 0;
  #nextTransfer = 1;
  #linked = false;

  constructor(options: OutgoingTransfersOptions) {
    this.#options = options;
    const { context, pool } = options;
    this.#pump = new SendPump({ sendData: (frames) => context.port.sendData(frames), pool, clock: context.clock, flow: context.limiter.sending });
  }

  /** Whether anything is open. */
  get busy(): boolean {
    return this.#transfers.size + this.#ending.size + this.#opening > 0;
  }

  live(): Iterable<OutgoingTransfer> {
    return this.#transfers.values();
  }

  /** Opens what is to be sent; {@link start} is due. @throws P2pError `too-many-transfers`, and what `open` throws. */
  async open(open: (events: SourceEvents) => ReturnType<OpenSource>): Promise<OutgoingTransfer> {
    const { context } = this.#options;
    if (this.#transfers.size + this.#opening >= transferLimits.queuedOffers) {
      throw new P2pError('too-many-transfers', `${transferLimits.queuedOffers} offers wait for ${context.peer} already. Try again when some are answered.`);
    }
    this.#opening += 1;
    try {
      return await OutgoingTransfer.open({
        context,
        open,
        pump: this.#pump,
        nextId: () => this.#options.nextId(),
        nextTransfer: () => this.#nextTransfer++,
        onMove: (transfer) => this.#moved(transfer),
        onRenumber: (transfer, before) => {
          this.#transfers.delete(before);
          this.#transfers.set(transfer.facts.transfer, transfer);
        },
      });
    } finally {
      this.#opening -= 1;
    }
  }

  /** Tells people, and offers it when the peer lets it wait. */
  start(transfer: OutgoingTransfer): void {
    this.#transfers.set(transfer.facts.transfer, transfer);
    transfer.announce();
    this.#sendOffers();
    this.#options.onChange();
  }

  /** A word of the receiver. One about a transfer that has ended crossed with the end. */
  receive(message: ReceiverMessage): void {
    const transfer = this.#transfers.get(message.transfer);
    if (transfer === undefined || !transfer.offered) debug('%s for no transfer under way', message.type);
    else transfer.receive(message);
  }

  unlinked(): void {
    this.#linked = false;
    for (const transfer of this.#transfers.values()) transfer.unlinked();
  }

  /** Another link is there: everything that has been offered is offered again. `known`: the other side knows of it. */
  linked(known: boolean): void {
    this.#linked = true;
    for (const transfer of this.#transfers.values()) {
      transfer.linked(known);
      if (transfer.offered) transfer.offer();
    }
    this.#sendOffers();
  }

  async close(failure: TransferFailure): Promise<void> {
    const all = [...this.#transfers.values(), ...this.#ending];
    await Promise.all(all.map((transfer) => transfer.end(failure, 'nobody')));
  }

  #moved(transfer: OutgoingTransfer): void {
    if (transfer.state === 'ended') {
      this.#transfers.delete(transfer.facts.transfer);
      void this.#awaitEnd(transfer);
    }
    if (transfer.state === 'running' || transfer.state === 'ended' || transfer.state === 'queued') this.#sendOffers();
    this.#options.onChange();
  }

  async #awaitEnd(transfer: OutgoingTransfer): Promise<void> {
    this.#ending.add(transfer);
    await transfer.finished;
    this.#ending.delete(transfer);
    this.#options.onChange();
  }

  /** Puts offers on the wire, as many as the peer lets wait. */
  #sendOffers(): void {
    if (!this.#linked) return;
    const all = [...this.#transfers.values()];
    let room = transferLimits.pendingOffersPerPeer - all.filter((one) => one.state === 'offered').length;
    for (const transfer of all) {
      if (room <= 0) return;
      if (transfer.state !== 'queued') continue;
      transfer.offer();
      room -= 1;
    }
  }
}
