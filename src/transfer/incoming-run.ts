/**
 * One transfer on its way in over one link, from `accept` to the last end frame (PROTOCOL.md 7.5.1 to 7.5.3).
 *
 * Owns what is true of this link only: credit, the list, and the blocks between the socket and the disk, which credit
 * bounds. A new link means a new run.
 */
import type { Timer } from '../net/clock.js';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES, type EntryStatus } from '../protocol/frames.js';
import { transferLimits } from '../protocol/limits.js';
import type { Entry, PeerMessageOf } from '../protocol/peer-messages.js';
import { RecordBlock } from './store/block-filler.js';
import { bothDone } from './both-done.js';
import type { TransferContext } from './context.js';
import { TransferFailure, writeFailure } from './failure.js';
import type { FileCount } from './file-count.js';
import type { Turn } from './rate-limit.js';
import type { Listing } from './source/source.js';
import type { Incoming, Written } from './store/store.js';

/** A block that is not full goes to the disk after this long, so that little is lost when this program is killed. */
const LINGER_MS = 50;
/** Calls to the disk under way at once: one at work, the next ones there when it is done. */
const WRITES = 3;

export interface IncomingRunOptions {
  readonly context: TransferContext;
  readonly place: Incoming;
  readonly transfer: number;
  readonly windowBytes: number;
  /** The one entry of a file; a folder lists its own. */
  readonly file: { readonly name: string; readonly size: number; readonly modified: number } | undefined;
  /** What is there already is being compared, or no longer. */
  checking(is: boolean): void;
  /** Is told of the list, and how far it has come. */
  readonly count: FileCount;
  /** Something has come or was written. */
  onMove(): void;
  /** The disk is full: `again` is to be called when there may be room. */
  onFull(again: () => void): void;
  /** There is room after all. */
  onRoom(): void;
  /** Every entry has ended. */
  onComplete(): void;
  /** It cannot go on. Not called after {@link IncomingRun.end}. */
  onError(error: unknown): void;
}

interface Block {
  readonly buffer: Buffer;
  readonly filler: RecordBlock;
  /** Bytes of frames in it. */
  frames: number;
}

export class IncomingRun {
  readonly #options: IncomingRunOptions;
  #over = false;
  /** Bytes of frames. */
  #received = 0;
  #writtenFrames = 0;
  #granted: number;
  #turn: Turn | undefined;
  #limitedSince: number | undefined;
  /** As the disk says it. */
  #written: Written = { bytes: 0, had: 0, ended: 0, full: false };
  /** Entries. */
  #listed = 0;
  #planned = 0;
  /** Files listed, less those that were skipped and those whose end has come. */
  readonly #awaited = new Set<number>();
  #listedAll = false;
  #planning: Promise<void> = Promise.resolve();
  /** The block being filled, and full ones that wait for the disk or are with it; at most a window in all. */
  #filling: Block | undefined;
  #linger: Timer | undefined;
  readonly #full: Block[] = [];
  /** Of {@link #full}, from the first on. */
  #writing = 0;
  #writes: Promise<unknown> = Promise.resolve();
  /** While the disk is full. */
  #room: Promise<void> | undefined;

  constructor(options: IncomingRunOptions) {
    this.#options = options;
    const { evenBytes } = options.context.limiter.receiving;
    this.#granted = Math.min(options.windowBytes, evenBytes ?? options.windowBytes);
  }

  /** Bytes of file written over this link. */
  get written(): number {
    return this.#written.bytes;
  }

  /** Bytes of file that were there. */
  get had(): number {
    return this.#written.had;
  }

  /** Bytes of frames that were granted and have not come. */
  get outstanding(): number {
    return this.#granted - this.#received;
  }

  /** Since when, by the clock, credit waits for the rate limit; undefined where it does not. */
  get limitedSince(): number | undefined {
    return this.#limitedSince;
  }

  /** Says `accept`, and of a file what is there of it. */
  async start(): Promise<void> {
    const { context, place, transfer, file } = this.#options;
    try {
      await place.start();
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#over) return;
    const { settled } = place;
    context.port.send({ type: 'accept', transfer, credit: this.#granted, ...(settled === undefined || file !== undefined ? {} : { settled }) });
    if (file !== undefined) this.#plan({ first: 0, entries: [file], last: true });
  }

  /** A part of the list of a folder. */
  listed({ first, entries, last }: PeerMessageOf<'entries'>): void {
    const { settled } = this.#options.place;
    const begins = this.#listed === 0 && first === settled?.entries;
    const follows = !this.#listedAll && (first === this.#listed || begins) && (entries.length > 0 || last);
    // A plan is a question to the disk: those that wait for one count, and those whose end is to come.
    const unplanned = first + entries.length - Math.max(this.#planned, begins ? first : 0);
    if (!follows || unplanned > transferLimits.entriesAhead || this.#ahead(first, entries) > transferLimits.entriesAhead) {
      this.#failed(new TransferFailure('bad-listing', 'The sender listed the folder in a way that cannot be followed.'));
      return;
    }
    if (begins) this.#planned = first;
    this.#options.count.listed(first, entries);
    this.#plan({ first, entries, last });
  }

  /**
   * How far the list would be ahead of the first file whose end has not come. What has ended at the disk does not count: there
   * the end of much that the sender is done with waits to be written.
   */
  #ahead(first: number, entries: readonly Entry[]): number {
    for (const [index, entry] of entries.entries()) if ('name' in entry) this.#awaited.add(first + index);
    const end = first + entries.length;
    const [awaited = end] = this.#awaited;
    return end - awaited;
  }

  /** File bytes; copied before this returns. */
  data(entry: number, offset: number, bytes: Uint8Array, first: boolean): void {
    if (!this.#takes(bytes.length + (first ? DATA_PREFIX_BYTES : 0), entry)) return;
    for (let at = 0; at < bytes.length; ) {
      const block = this.#block();
      const taken = block.filler.data(entry, offset + at, at === 0 ? bytes : bytes.subarray(at));
      block.frames += taken;
      at += taken;
      if (at < bytes.length) this.#push();
    }
    const block = this.#block();
    if (first) block.frames += DATA_PREFIX_BYTES;
    if (block.filler.bytes === block.buffer.length) this.#push();
    else this.#lingerOn();
  }

  entryEnd(entry: number, status: EntryStatus, blake3: string): void {
    if (!this.#takes(END_FRAME_BYTES, entry)) return;
    this.#awaited.delete(entry);
    if (!this.#block().filler.end(entry, status, blake3)) {
      this.#push();
      this.#block().filler.end(entry, status, blake3);
    }
    this.#block().frames += END_FRAME_BYTES;
    // Nothing more comes that it could wait for.
    if (this.#listedAll && entry === this.#listed - 1) this.#push();
    else this.#lingerOn();
  }

  /** Nothing of this run is of use any more; resolves when the disk has done with it. What waits for the disk is dropped. Idempotent. */
  async end(): Promise<void> {
    this.#over = true;
    this.#linger?.stop();
    this.#turn?.giveUp();
    for (const block of this.#full.splice(this.#writing)) this.#give(block);
    if (this.#filling !== undefined) this.#give(this.#filling);
    this.#filling = undefined;
    await this.#planning;
    await this.#writes;
  }

  /** Counts what has come, and refuses what may not. */
  #takes(frameBytes: number, entry: number): boolean {
    if (this.#over) return false;
    this.#received += frameBytes;
    if (this.#received > this.#granted) {
      this.#failed(new TransferFailure('out-of-order', 'The sender sent more than it was allowed to.'));
      return false;
    }
    if (entry >= this.#planned) {
      this.#failed(new TransferFailure('out-of-order', 'The sender sent a file before it was asked to.'));
      return false;
    }
    this.#options.onMove();
    return true;
  }

  #block(): Block {
    if (this.#filling === undefined) {
      const buffer = this.#options.context.pool.take();
      this.#filling = { buffer, filler: new RecordBlock(buffer), frames: 0 };
    }
    return this.#filling;
  }

  #give(block: Block): void {
    this.#options.context.pool.give(block.buffer);
  }

  #lingerOn(): void {
    this.#linger ??= this.#options.context.clock.after(LINGER_MS, () => this.#push());
  }

  /** The block being filled goes to the disk. */
  #push(): void {
    this.#linger?.stop();
    this.#linger = undefined;
    const block = this.#filling;
    this.#filling = undefined;
    if (block === undefined) return;
    if (block.filler.bytes === 0) {
      this.#give(block);
      return;
    }
    this.#full.push(block);
    this.#write();
  }

  #write(): void {
    while (!this.#over && this.#writing < Math.min(WRITES, this.#full.length)) {
      const block = this.#full[this.#writing];
      if (block === undefined) return;
      this.#writing += 1;
      this.#writes = bothDone(this.#writes, this.#writeBlock(block));
    }
  }

  async #writeBlock(block: Block): Promise<void> {
    const { place } = this.#options;
    try {
      for (;;) {
        const written = await place.write(block.buffer, block.filler.bytes);
        if (!written.full) {
          if (this.#written.full) this.#options.onRoom();
          this.#wrote(block, written);
          return;
        }
        this.#written = written;
        if (this.#hasEnded()) break;
        await this.#untilRoom();
        if (this.#hasEnded()) break;
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#drop(block);
  }

  /** The blocks under way wait together for another try. */
  #untilRoom(): Promise<void> {
    this.#room ??= new Promise((resolve) => {
      this.#options.onFull(() => {
        this.#room = undefined;
        resolve();
      });
    });
    return this.#room;
  }

  #wrote(block: Block, written: Written): void {
    this.#written = written;
    this.#writtenFrames += block.frames;
    this.#drop(block);
    if (this.#over) return;
    this.#options.count.reach(this.#options.place.ended);
    this.#options.onMove();
    this.#grant();
    this.#completeIfSo();
    this.#write();
  }

  #drop(block: Block): void {
    const at = this.#full.indexOf(block);
    if (at < 0) return;
    this.#full.splice(at, 1);
    if (at < this.#writing) this.#writing -= 1;
    this.#give(block);
  }

  /** Grants what has been written anew, in steps, and no faster than the rate limit. */
  #grant(): void {
    const { windowBytes, context, transfer } = this.#options;
    const { receiving } = context.limiter;
    const owed = Math.min(this.#writtenFrames + windowBytes, Number.MAX_SAFE_INTEGER) - this.#granted;
    const even = receiving.evenBytes ?? Number.POSITIVE_INFINITY;
    if (this.#over || this.#turn !== undefined || owed < Math.min(transferLimits.creditStepBytes, windowBytes / 4, even)) return;
    if (this.#writtenFrames >= transferLimits.muchBytes) context.port.readMuch();
    const bytes = Math.min(owed, even);
    const turn = receiving.take(bytes);
    if (turn === undefined) {
      this.#granted += bytes;
      context.port.send({ type: 'credit', transfer, upTo: this.#granted });
      this.#grant();
      return;
    }
    this.#turn = turn;
    this.#limitedSince = context.clock.now();
    void turn.come.then(() => {
      this.#turn = undefined;
      this.#limitedSince = undefined;
      if (this.#over) return;
      this.#granted += bytes;
      context.port.send({ type: 'credit', transfer, upTo: this.#granted });
      this.#grant();
    });
  }

  #plan(listing: Listing): void {
    this.#listed = listing.first + listing.entries.length;
    this.#listedAll = listing.last;
    this.#planning = this.#planning.then(() => this.#planOnce(listing));
  }

  async #planOnce(listing: Listing): Promise<void> {
    const { context, place, transfer } = this.#options;
    for (let tries = 0; !this.#over; tries += 1) {
      try {
        this.#options.checking(true);
        const plans = await place.plan(listing);
        if (this.#hasEnded()) return;
        this.#options.checking(false);
        if (tries > 0) this.#options.onRoom();
        for (const { first, count, have, skip } of plans) {
          this.#planned = first + count;
          for (const entry of skip) this.#awaited.delete(entry);
          context.port.send({ type: 'plan', transfer, first, count, have: [...have], skip: [...skip] });
        }
        this.#options.count.reach(this.#options.place.ended);
        this.#options.onMove();
        this.#completeIfSo();
        return;
      } catch (error) {
        if (this.#hasEnded() || writeFailure(error).code !== 'disk-full') {
          this.#failed(error);
          return;
        }
      }
      await this.#untilRoom();
    }
  }

  /** Folders end when they are planned, so that the last entry may be one. */
  #completeIfSo(): void {
    if (this.#over || !this.#listedAll || this.#planned < this.#listed || this.#full.length > 0 || this.#filling !== undefined) return;
    if (this.#options.place.ended < this.#listed) return;
    this.#options.onComplete();
  }

  /** A method, since the compiler takes the field for unchanged over an await. */
  #hasEnded(): boolean {
    return this.#over;
  }

  #failed(error: unknown): void {
    if (!this.#over) this.#options.onError(error);
  }
}
