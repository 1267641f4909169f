/**
 * The entries of a source between their listing and their end frames: what the receiver has answered for, read into
 * frames in order (PROTOCOL.md 7.5.2).
 *
 * Owns the file that is being read, and what an error of the disk means: a file in a folder is told to be unreadable, a
 * single file ends the transfer. Where entries come from is source-reader.ts.
 */
import { systemCode } from '../../protocol/errors.js';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES, EntryStatus, writeEndFrame } from '../../protocol/frames.js';
import type { Have } from '../../protocol/peer-messages.js';
import type { WalkedEntry } from './entry-list.js';
import { readFailure, TransferFailure } from '../failure.js';
import { FileReading, SourceChanged, type Budget, type Remembered } from './file-reading.js';
import type { Plan, SourceBatch } from './source.js';
import type { SourceFs } from './source-fs.js';
import { skipReason, type OnSkip, type WalkedFile } from './folder-walk.js';

/** Bytes hashed in one call that are not sent, because the receiver has them. */
const PROVE_BYTES = 8 * 1024 * 1024;
/** What opening a file counts for in {@link PROVE_BYTES}: so many bytes are hashed in the same time. */
const OPEN_BYTES = 16 * 1024;
/** A read that has taken so long, milliseconds, is ended early: the disk is slow, and others wait for their turn. */
const SLICE_MS = 50;
/** Read at once where nothing is sent. */
const SCRATCH_BYTES = 256 * 1024;

/** Files so large that there is something to remember of them, and that may be in one window together, are few. */
const REMEMBERED_FILES = 4;

/** Errors of this machine as a whole: no entry is to blame. */
const EXHAUSTED: readonly (string | undefined)[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

const NO_HASH = '0'.repeat(64);

export interface PlannedEntriesOptions {
  readonly fs: SourceFs;
  /** A single file, which a person named: links are followed, its time must be the same, and an error ends the transfer. */
  readonly single: boolean;
  readonly onSkip: OnSkip;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Throws a system error where the folder as a whole has gone. */
  readonly mustBeThere: () => void;
}

interface Pending {
  readonly walked: WalkedEntry;
  points: Have['points'];
  skip: boolean;
}

/** A block that is being filled. */
interface Filling {
  readonly block: Buffer;
  readonly end: number;
  readonly transfer: number;
  readonly budget: Budget;
  readonly until: number;
  at: number;
  payload: number;
  blake3: string | undefined;
}

export class PlannedEntries {
  readonly #options: PlannedEntriesOptions;
  /** Listed and not ended. */
  readonly #pending: Pending[] = [];
  /** The number of the first of them. */
  #ended = 0;
  #planned = 0;
  #file: FileReading | undefined;
  /** The first entry cannot be read; its end frame waits for room. */
  #unreadable = false;
  #had = 0;
  /** Files read last, of which the receiver may not have written everything. */
  readonly #remembered: Remembered[] = [];
  #scratch: Buffer | undefined;

  constructor(options: PlannedEntriesOptions) {
    this.#options = options;
  }

  /** Nothing is listed but the first `settled` entries, of which the receiver has everything: `had` bytes of file. */
  start(settled: number, had: number): void {
    this.#leave();
    this.#pending.length = 0;
    this.#ended = settled;
    this.#planned = settled;
    this.#had = had;
    this.#unreadable = false;
  }

  add(walked: WalkedEntry): void {
    this.#pending.push({ walked, points: [], skip: false });
  }

  /** @throws TransferFailure `out-of-order` where it is not about what was listed and is due. */
  plan({ first, count, have, skip }: Plan): void {
    const fits = first === this.#planned && first + count <= this.#ended + this.#pending.length;
    if (!fits) throw new TransferFailure('out-of-order', 'The receiver answered for files that it was not told of.');
    this.#planned = first + count;
    for (const { entry, points } of have) this.#of(entry, first).points = points;
    for (const entry of skip) this.#of(entry, first).skip = true;
  }

  /** As {@link Source.read}. */
  read(block: Buffer, transfer: number, maxBytes: number): SourceBatch {
    const until = this.#options.now() + SLICE_MS;
    const filling: Filling = { block, end: Math.min(maxBytes, block.length), transfer, budget: { bytes: PROVE_BYTES }, until, at: 0, payload: 0, blake3: undefined };
    while (this.#ended < this.#planned && this.#fill(filling)) if (filling.budget.bytes <= 0 || this.#options.now() > until) break;
    const had = this.#had;
    this.#had = 0;
    const { at: bytes, payload, blake3 } = filling;
    return { bytes, payload, had, ended: this.#ended, idle: this.#ended === this.#planned, ...(blake3 === undefined ? {} : { blake3 }) };
  }

  /** Closes the file that is open. Idempotent. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #of(entry: number, first: number): Pending {
    const pending = entry >= first && entry < this.#planned ? this.#pending[entry - this.#ended] : undefined;
    if (pending === undefined) throw new TransferFailure('out-of-order', 'The receiver answered for files that it was not told of.');
    return pending;
  }

  /** Goes on with the first entry. @returns whether it has ended; otherwise room, time or budget has. */
  #fill(filling: Filling): boolean {
    const { walked, points, skip } = this.#pending[0] as Pending;
    if (walked.kind === 'folder' || skip) {
      this.#endEntry();
      return true;
    }
    if (!this.#unreadable) this.#tryRead(walked, points, filling);
    const whole = this.#file?.complete === true;
    if (!(whole || this.#unreadable) || filling.end - filling.at < END_FRAME_BYTES) return false;
    const blake3 = this.#unreadable ? NO_HASH : this.#tryFinish(walked);
    const status = this.#unreadable ? EntryStatus.unreadable : EntryStatus.whole;
    writeEndFrame(filling.block, filling.at, { transfer: filling.transfer, entry: this.#ended, status, blake3 });
    filling.at += END_FRAME_BYTES;
    if (this.#options.single) filling.blake3 = blake3;
    this.#endEntry();
    return true;
  }

  #endEntry(): void {
    this.#leave();
    this.#unreadable = false;
    this.#pending.shift();
    this.#ended += 1;
  }

  /** Closes the file that is open, which may be sent again on another link. */
  #leave(): void {
    const remembered = this.#file?.remembered();
    if (remembered !== undefined) this.#remembered.push(remembered);
    if (this.#remembered.length > REMEMBERED_FILES) this.#remembered.shift();
    this.close();
  }

  #recall(path: string): Remembered | undefined {
    const index = this.#remembered.findLastIndex((one) => one.path === path);
    return index < 0 ? undefined : this.#remembered.splice(index, 1)[0];
  }

  #tryRead(walked: WalkedFile, points: Have['points'], filling: Filling): void {
    try {
      this.#read(walked, points, filling);
    } catch (error) {
      this.#cannotRead(walked, error);
    }
  }

  #tryFinish(walked: WalkedFile): string {
    try {
      return this.#file?.finish() ?? NO_HASH;
    } catch (error) {
      this.#cannotRead(walked, error);
      return NO_HASH;
    }
  }

  #read(walked: WalkedFile, points: Have['points'], filling: Filling): void {
    const { budget, block, end, transfer, until } = filling;
    if (this.#file === undefined) {
      const { fs, single } = this.#options;
      budget.bytes -= OPEN_BYTES;
      const known = { path: walked.path, follow: single, size: walked.size, mtimeMs: single ? walked.mtimeMs : undefined };
      this.#file = FileReading.open(fs, known, points, this.#recall(walked.path));
      this.#had += this.#file.had;
    }
    const file = this.#file;
    if (!file.proven) {
      this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
      if (!file.prove(budget, this.#scratch)) return;
      this.#had += file.had;
    }
    while (!file.complete) {
      const to = file.frame(block, filling.at, end, transfer, this.#ended);
      if (to === filling.at) return;
      filling.payload += to - filling.at - DATA_PREFIX_BYTES;
      filling.at = to;
      if (this.#options.now() > until) return;
    }
  }

  /** @throws TransferFailure where this is the end of the transfer, and the error itself where it is a bug. */
  #cannotRead(walked: WalkedFile, error: unknown): void {
    const { single, mustBeThere, onSkip } = this.#options;
    this.close();
    if (single && error instanceof SourceChanged) throw changed();
    if (single || EXHAUSTED.includes(systemCode(error))) throw readFailure(error);
    try {
      mustBeThere();
    } catch (gone) {
      throw readFailure(gone);
    }
    onSkip(walked.shown, error instanceof SourceChanged ? 'it changed while it was being sent' : skipReason(error));
    this.#unreadable = true;
  }
}

/** The source is not what was offered. */
export function changed(): TransferFailure {
  return new TransferFailure('source-changed', 'The file changed on the sender’s disk since it was offered. Send it again.');
}
