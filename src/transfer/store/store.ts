/**
 * What the receiver's half of a transfer needs of the place where files are kept (PROTOCOL.md 7.5, 7.6).
 *
 * Owns shapes only. receive-store.ts keeps files in the received folder, in a thread of its own; stdout-store.ts writes one
 * file to stdout. incoming.ts uses them and knows no disk.
 */
import type { EntryStatus } from '../../protocol/frames.js';
import type { Listing, Plan } from '../source/source.js';

/** An offer, its name made safe by `safeFileName`. */
export interface Wanted {
  /** Fingerprint of the sender's key: a partial is continued only for the same one. */
  readonly fingerprint: string;
  /** User name of the sender, for the list of partials. */
  readonly peer: string;
  readonly kind: 'file' | 'folder';
  readonly name: string;
  /** Bytes; null where unknown. */
  readonly size: number | null;
  readonly modified: number | null;
}

/** What can be said about an offer before it is taken. */
export interface Outlook {
  /** Bytes that may be written; undefined where the system does not say. */
  readonly free: number | undefined;
  /** Something of this name is there: for a folder, entries may be the same. */
  readonly exists: boolean;
  /** A file of this name, size and time is there (how a folder compares is found by {@link Store.sameEntries}). */
  readonly same: boolean;
  /** Bytes of it that are there from an earlier, unfinished transfer. */
  readonly partial: number;
}

/** A transfer that did not finish and can be continued when the same is offered again. */
export interface Leftover {
  readonly peer: string;
  readonly kind: 'file' | 'folder';
  readonly name: string;
  /** Bytes that are there. */
  readonly bytes: number;
  readonly size: number | null;
  /** Milliseconds since 1970 of the last write. */
  readonly lastMs: number;
  /** Milliseconds since 1970 at which it will be removed. */
  readonly removedMs: number;
}

/** Methods reject with TransferFailure `write-failed` or `disk-full`; anything else is a bug. */
export interface Store {
  outlook(wanted: Wanted): Promise<Outlook>;
  /** How many files of this part of a list are there with the same size and time. Parts come in order, from 0. */
  sameEntries(wanted: Wanted, listing: Listing): Promise<{ readonly files: number; readonly bytes: number }>;
  /** A place for the transfer, and what is there of it already. A partial that is in use is not shared: another is made. */
  open(wanted: Wanted, events: StoredEvents): Promise<Incoming>;
  leftovers(): Promise<readonly Leftover[]>;
  /** Removes partials whose time has come; what cannot be removed stays. */
  removeLeftovers(nowMs: number): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface StoredEvents {
  /** An entry could not be stored or got another name. `path` is relative and safe. */
  onNote(path: string, note: string): void;
}

/** What {@link Incoming.write} has done. */
export interface Written {
  /** Bytes of file written since {@link Incoming.start}, data that an end frame took back included. */
  readonly bytes: number;
  /** Bytes of begun or ended entries that were there before {@link Incoming.start}, and so did not come; those of `settled` entries included. */
  readonly had: number;
  /** All entries below this number have ended. */
  readonly ended: number;
  /** The disk is full: nothing is lost, and the same block is to be written again when there may be room. */
  readonly full: boolean;
}

/** How the whole ended. */
export interface Stored {
  /** Absolute; undefined for stdout. */
  readonly path: string | undefined;
  /** Files that were there already. */
  readonly same: number;
  /** Entries that could not be stored. */
  readonly refused: number;
  /** Bytes of file that were not sent again, because they were there. */
  readonly resumed: number;
  /** Bytes in all: of the file, or of all files of the folder. */
  readonly bytes: number;
  /** Regular files in all. */
  readonly files: number;
  /** Of a single file. */
  readonly blake3: string | undefined;
}

/**
 * One transfer at its place. Calls are done one after the other, in their order; another may be made before the last has
 * resolved. Blocks that follow one for which the disk was full are left untouched, and say `full` too.
 */
export interface Incoming {
  /** All entries below this number have ended; folders, and files that are not taken, end when they are planned. */
  readonly ended: number;
  /** What a sender need not list again on another link of the same run; undefined before any entry has ended. */
  readonly settled: { readonly entries: number; readonly blake3: string } | undefined;
  /** A link is there: unfinished lists and blocks of an earlier one are forgotten. Before anything else. */
  start(): Promise<void>;
  /**
   * What is there of these entries. For a file: called once, with the offer's own entry (size 0 for a pipe, where `Wanted.size` is null). May take
   * long where much must be hashed.
   *
   * @returns one plan, or several that together cover the listing, each small enough for a JSON frame.
   * @throws TransferFailure `bad-listing`; `disk-full` where folders cannot be made (then to be called again).
   */
  plan(listing: Listing): Promise<readonly Plan[]>;
  /** Takes what {@link BlockWriter} has put into a block. @throws TransferFailure `hash-mismatch`, `size-mismatch`, `out-of-order`, `write-failed`. */
  write(block: Buffer, bytes: number): Promise<Written>;
  /** Flushes and gives everything its name, when every listed entry has ended. Afterwards closed. */
  publish(): Promise<Stored>;
  /** Closes it and removes what was received; harmless after {@link publish}. */
  discard(): Promise<void>;
  /** Closes it and keeps what was received, for another time; harmless after {@link publish} or {@link discard}. */
  keep(): Promise<void>;
  /** For how long the disk has been at work on one call, milliseconds; 0 when none is under way. */
  readonly busyMs: number;
}

/**
 * Collects frames of one transfer in a block for {@link Incoming.write}. In the order in which they came; bytes are copied.
 * At most `transferLimits.writeBytes` of file data go into one block, so that the writes of a large file stay aligned.
 */
export interface BlockFiller {
  /** Bytes of the block in use. */
  readonly bytes: number;
  /** Puts in as many of `bytes` as there is room for, and returns how many. */
  data(entry: number, offset: number, bytes: Uint8Array): number;
  /** @returns false where there is no room. */
  end(entry: number, status: EntryStatus, blake3: string): boolean;
}
