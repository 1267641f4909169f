/**
 * What the sender's half of a transfer needs of the thing that is sent: a file, a folder, or a pipe (PROTOCOL.md 7.5).
 *
 * Owns shapes only. source-thread.ts reads files and folders in a thread of their own, pipe-source.ts reads stdin; outgoing.ts
 * and the send pump use them and know no disk.
 */
import type { Entry, Have } from '../../protocol/peer-messages.js';

/** What is offered. For a folder it grows while it is being counted. */
export interface SourceFacts {
  readonly kind: 'file' | 'folder';
  /** The name told to the other side. */
  readonly name: string;
  /** Bytes of regular files; null for a pipe. */
  readonly size: number | null;
  /** Regular files; 1 for a file. */
  readonly files: number;
  /** Whether `size` and `files` are final. */
  readonly counted: boolean;
  /** Milliseconds since 1970; null for a pipe. */
  readonly modified: number | null;
}

/** A part of the list of entries, in order: `entries[0]` has the number `first`. */
export interface Listing {
  readonly first: number;
  readonly entries: readonly Entry[];
  readonly last: boolean;
}

/** What the receiver has and does not take, of entries `first` to `first + count − 1`. */
export interface Plan {
  readonly first: number;
  readonly count: number;
  readonly have: readonly Have[];
  readonly skip: readonly number[];
}

/** What {@link Source.read} has put into the block. */
export interface SourceBatch {
  /** Bytes at the beginning of the block: complete data and end frames. 0 and {@link idle}: nothing can be read before the next plan, or ever. 0 and not idle: what the receiver has is still being compared; call again. */
  readonly bytes: number;
  /** Bytes of file in them. */
  readonly payload: number;
  /** Bytes of file that were left out since the last batch because the receiver has them. */
  readonly had: number;
  /** The entries that have ended, from 0: all below this number. */
  readonly ended: number;
  /** Nothing more follows before another plan: planned entries are all read. */
  readonly idle: boolean;
  /** The BLAKE3 of the file, when its end frame is in this batch; only of kind `file`. */
  readonly blake3?: string;
}

/** Nothing is told before the source has been given out. */
export interface SourceEvents {
  /** The count has grown, or is final; at most every `timeLimits.tallyMs`. */
  onTally(facts: SourceFacts): void;
  /** Something in the folder is not sent. `path` is relative, `reason` for people ("a symbolic link"). Told once, not again after {@link Source.start}. */
  onSkip(path: string, reason: string): void;
}

/** One thing being sent. Methods reject with TransferFailure `read-failed` or `source-changed`; anything else is a bug. */
export interface Source {
  /** The latest. */
  readonly facts: SourceFacts;
  /** Whether it can be sent on after a broken link, as far as is known: not a pipe of which a receiver needed bytes that have gone. */
  readonly repeatable: boolean;
  /** A part of the list for a receiver that has not answered yet, from entry `first` on; independent of {@link list}. */
  survey(first: number): Promise<Listing>;
  /**
   * A link is there: plans, lists and positions of an earlier one are forgotten. Looks whether the source is still what was offered.
   *
   * @param settled entries that the receiver has whole; the list begins behind them if they are still the same.
   */
  start(settled?: { readonly entries: number; readonly blake3: string }): Promise<void>;
  /** The next part of the list, at most `entriesPerMessage` and one JSON frame long. Not called again after `last`. For a file: never called. */
  list(): Promise<Listing>;
  plan(plan: Plan): void;
  /**
   * Fills `block` (backed by shared memory) with at most `maxBytes` (64 or more) of frames for `transfer`. One call at a time, others may wait: `list`, `plan`.
   */
  read(block: Buffer, transfer: number, maxBytes: number): Promise<SourceBatch>;
  /** Whether a read or a look at the disk is under way that began this long ago, milliseconds; 0 when none is. */
  readonly busyMs: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Opens what a person named. @throws P2pError `no-such-file`, `not-a-file`, `read-failed`. */
export type OpenSource = (path: string, events: SourceEvents) => Promise<Source>;
