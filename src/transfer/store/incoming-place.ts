/**
 * One incoming transfer in the thread of the disk: its partial folder, what is written there, and its end.
 *
 * Owns the order of calls and what remains of each way to end; the three halves of the work are in incoming-tree.ts,
 * staging.ts and publisher.ts.
 */
import { debuglog } from 'node:util';
import { systemCode } from '../../protocol/errors.js';
import type { Disk } from './disk.js';
import { TransferFailure, writeFailure } from '../failure.js';
import { IncomingTree } from './incoming-tree.js';
import type { PartialFolder } from './partial-folder.js';
import { Publisher } from './publisher.js';
import { ReceivedFolder } from './received-folder.js';
import type { Listing, Plan } from '../source/source.js';
import { Staging } from './staging.js';
import { inTurns, type Steps } from './steps.js';
import type { Stored, StoredEvents, Wanted, Written } from './store.js';

const debug = debuglog('p2p-transfer');

export interface PlaceOptions {
  readonly disk: Disk;
  readonly partial: PartialFolder;
  readonly received: string;
  readonly wanted: Wanted;
  readonly events: StoredEvents;
  readonly nowMs: () => number;
}

const NOTHING: Written = { bytes: 0, had: 0, ended: 0, full: false };

export class IncomingPlace {
  readonly #options: PlaceOptions;
  readonly #staging: Staging;
  readonly #tree: IncomingTree;
  readonly #publisher: Publisher;
  #turn = 0;
  #written = NOTHING;
  #state: 'new' | 'linked' | 'closed' = 'new';

  /** @throws system errors where the top of the tree cannot be made. */
  constructor(options: PlaceOptions) {
    const { disk, partial, received, wanted, events } = options;
    const onNote = (path: string, note: string) => events.onNote(path, note);
    this.#options = options;
    this.#staging = new Staging({ disk, partial, received: new ReceivedFolder(disk, received), kind: wanted.kind, name: wanted.name });
    if (wanted.kind === 'folder') this.#staging.makeTop();
    this.#tree = new IncomingTree({ wanted, staging: this.#staging, foldsCase: partial.foldsCase, onNote });
    this.#publisher = new Publisher({ disk, staging: this.#staging, received, name: wanted.name, modified: wanted.modified, onNote });
  }

  get settled(): { readonly entries: number; readonly blake3: string } | undefined {
    return this.#tree.settled;
  }

  get ended(): number {
    return this.#tree.ended;
  }

  /** See `Incoming.start`. @param turn the number of the first block of this link. */
  start(turn = 0): void {
    this.#turn = turn;
    this.#written = NOTHING;
    this.#tree.start();
    if (this.#state === 'linked') this.#staging.beginLink();
    this.#state = 'linked';
  }

  /** See `Incoming.plan`. */
  plan(listing: Listing): Steps<readonly Plan[]> {
    return this.#tree.plan(listing);
  }

  /**
   * See `Incoming.write`.
   *
   * @param turn counts blocks. One that found the disk full comes again under its number; those behind it may have been on
   * their way already, and are left alone.
   */
  write(block: Buffer, bytes: number, turn = this.#turn): Written {
    if (turn !== this.#turn) return { ...this.#written, ended: this.ended, full: true };
    this.#options.partial.touch(this.#options.nowMs());
    this.#written = this.#tree.write(block, bytes);
    if (!this.#written.full) this.#turn += 1;
    return this.#written;
  }

  /** See `Incoming.publish`; may be called again after `disk-full`. */
  async publish(): Promise<Stored> {
    const { wanted } = this.#options;
    if (!this.#tree.complete) throw new TransferFailure('out-of-order', 'Not every file of the list has come.');
    try {
      await this.#staging.idle();
      this.#staging.throwFlushError();
      const path = wanted.kind === 'file' ? await this.#publisher.publishFile() : await this.#publisher.publishTree();
      const { files, bytes, same, refused } = this.#tree.counts;
      await this.#removePartial();
      return { path, files, bytes, refused, same: same + this.#publisher.same, resumed: this.#tree.had, blake3: this.#tree.blake3 };
    } catch (error) {
      throw writeFailure(error);
    }
  }

  /** See `Incoming.discard`. */
  async discard(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.#removePartial();
  }

  /** See `Incoming.keep`. */
  keep(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#tree.close();
    this.#options.partial.close();
  }

  /** What cannot be removed now is a leftover. */
  async #removePartial(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#tree.close();
    try {
      await inTurns(this.#options.partial.remove());
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      debug('partial stays: %s', systemCode(error));
    }
  }
}
