/**
 * What is known of an incoming offer: as it was made, as it is counted further, and how it compares with what is there
 * (PROTOCOL.md 7.5: tally, survey).
 *
 * Owns what people are told of an offer before it is answered; taking it is incoming.ts's business.
 */
import { debuglog } from 'node:util';
import { transferLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import type { TransferContext, TransferFacts } from './context.js';
import { writeFailure } from './failure.js';
import type { Outlook, Store, Wanted } from './store/store.js';

const debug = debuglog('p2p-transfer');

export type OfferMessage = PeerMessageOf<'offer'>;

export interface IncomingOfferOptions {
  readonly context: TransferContext;
  readonly store: Store;
  readonly facts: TransferFacts;
  /** Whether it still waits for an answer. */
  isOpen(): boolean;
}

export class IncomingOffer {
  readonly #options: IncomingOfferOptions;
  #message: OfferMessage;
  /** Files of a folder that seem to be there; undefined before any were compared. */
  #same: number | undefined;
  /** Entries asked for so far. */
  #surveyed = 0;
  /** An answer is awaited. */
  #asked = false;

  constructor(message: OfferMessage, options: IncomingOfferOptions) {
    this.#message = message;
    this.#options = options;
  }

  /** As it is known now. */
  get message(): OfferMessage {
    return this.#message;
  }

  get wanted(): Wanted {
    const { context, facts } = this.#options;
    const { kind, size, modified } = this.#message;
    return { fingerprint: context.fingerprint, peer: context.peer, kind, name: facts.name, size, modified };
  }

  /** Whether `other` is the same one, made again. */
  isSame({ kind, name }: OfferMessage): boolean {
    return kind === this.#message.kind && name === this.#message.name;
  }

  /** It was made again. @returns false where it is a file of another size now: that is not what was agreed to. */
  again(message: OfferMessage): boolean {
    const same = message.kind === 'folder' || message.size === this.#message.size;
    this.#message = message;
    return same;
  }

  /** Tells people. */
  announce(outlook: Outlook, decision: 'ask' | 'accepted' | 'refused'): void {
    const { context, facts } = this.#options;
    const { id, direction, name } = facts;
    const { kind, size, files, counted } = this.#message;
    const same = outlook.same ? { same: 1 } : {};
    const partial = outlook.partial > 0 ? { partial: outlook.partial } : {};
    const free = outlook.free === undefined ? {} : { free: outlook.free };
    context.emit({ event: 'offer', id, peer: context.peer, direction, name, kind, size, files, counted, decision, ...same, ...partial, ...free });
    // A person is about to decide: what of the folder is there already?
    if (decision === 'ask' && kind === 'folder' && outlook.exists) this.#survey(0);
  }

  /** The folder was counted further. @returns false where there is nothing to count. */
  tally({ size, files, counted }: PeerMessageOf<'tally'>): boolean {
    if (this.#message.kind !== 'folder' || this.#message.counted) return false;
    this.#message = { ...this.#message, size, files, counted };
    this.#update();
    return true;
  }

  /** Part of the list of an offered folder: how many of its files are there? Never rejects. */
  async compare({ first, entries, last }: PeerMessageOf<'surveyed'>): Promise<void> {
    // An answer that came too late, or was not asked for: each is work for the disk.
    if (!this.#options.isOpen() || !this.#asked || first !== this.#surveyed || entries.length === 0) return;
    this.#asked = false;
    this.#surveyed = first + entries.length;
    try {
      const { files } = await this.#options.store.sameEntries(this.wanted, { first, entries, last });
      this.#same = (this.#same ?? 0) + files;
    } catch (error) {
      debug('the list of %d could not be compared: %s', this.#options.facts.id, writeFailure(error).message);
      return;
    }
    if (last || this.#surveyed >= transferLimits.surveyEntries) this.#update();
    else if (this.#options.isOpen()) this.#survey(this.#surveyed);
  }

  #survey(first: number): void {
    this.#surveyed = first;
    this.#asked = true;
    const { context, facts } = this.#options;
    context.port.send({ type: 'survey', transfer: facts.transfer, first });
  }

  #update(): void {
    if (!this.#options.isOpen()) return;
    const { context, facts } = this.#options;
    const { id, direction, name } = facts;
    const { size, files, counted } = this.#message;
    const same = this.#same === undefined ? {} : { same: this.#same };
    context.emit({ event: 'offer-update', id, peer: context.peer, direction, name, size, files, counted, ...same });
  }
}
