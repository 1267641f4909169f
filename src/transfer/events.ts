/**
 * What a transfer tells its session, and through it a screen, a script or a program (README, JSON table).
 *
 * Owns the shapes of the transfer events and of a snapshot; the engine's event union contains them unchanged. Names
 * in them come from the other side where `direction` is `incoming`: neutralise before showing.
 */
import type { TransferCode } from '../protocol/errors.js';

export type Direction = 'outgoing' | 'incoming';

/** What every event about a transfer says. */
interface Told {
  /** The number that people see and type; counts over all sessions of the program. */
  readonly id: number;
  readonly peer: string;
  readonly direction: Direction;
  readonly name: string;
}

/** A file or folder is offered, by the other side or by this one. */
export interface OfferEvent extends Told {
  readonly event: 'offer';
  readonly kind: 'file' | 'folder';
  /** Bytes; null where it is not known, for a pipe. */
  readonly size: number | null;
  /** Regular files. */
  readonly files: number;
  /** Whether `size` and `files` are final. */
  readonly counted: boolean;
  /** Incoming: files that seem to be there already (same name, size and time). */
  readonly same?: number;
  /** Incoming: bytes that are there from an earlier, unfinished transfer. */
  readonly partial?: number;
  /** Incoming: bytes that the disk has room for; left out where the system does not say. */
  readonly free?: number;
  /** Incoming: what becomes of it without a person: `ask`: nothing, it waits. */
  readonly decision?: 'ask' | 'accepted' | 'refused';
}

/** An offer that is still open has been counted further, or compared with what is there. */
export interface OfferUpdateEvent extends Told {
  readonly event: 'offer-update';
  readonly size: number | null;
  readonly files: number;
  readonly counted: boolean;
  readonly same?: number;
}

/** At most four a second and transfer. */
export interface ProgressEvent {
  readonly event: 'progress';
  readonly id: number;
  /** Bytes written by the receiver, or there already. On the sender's side as the receiver's credit tells. */
  readonly bytes: number;
  /** null for a pipe. */
  readonly total: number | null;
  /** Bytes a second, smoothed over about two seconds. */
  readonly rate: number;
  /** Files that have ended, of a folder. */
  readonly files?: number;
}

/**
 * - `offered`: nobody has answered
 * - `queued`: accepted, and waits for others to end
 * - `checking`: what is there already is compared
 * - `running`, `stalled`: nothing has moved for 5 s; `waits` says why
 * - `paused`: by a person or a full disk; `waits` says by whom
 * - `reconnecting`: the connection to the peer is being re-made
 */
export type TransferState = 'offered' | 'queued' | 'checking' | 'running' | 'stalled' | 'paused' | 'reconnecting';

/** Who waits for what. */
export type WaitsFor =
  | 'own-disk'
  | 'peer-disk'
  | 'network'
  | 'own-rate-limit'
  | 'peer-rate-limit'
  | 'paused-by-you'
  | 'paused-by-peer'
  | 'own-disk-full'
  | 'peer-disk-full';

/** The state of an accepted transfer has changed in a way that people want to know of. */
export interface TransferStateEvent extends Told {
  readonly event: 'transfer-state';
  readonly state: TransferState;
  /** With `stalled` and `paused`. */
  readonly waits?: WaitsFor;
}

/** Something about one entry: not sent, not stored, or stored under another name. */
export interface TransferNoteEvent extends Told {
  readonly event: 'transfer-note';
  /** Relative to the folder; empty where the note is about several (how many more there were). */
  readonly path: string;
  readonly note: string;
}

/** A transfer has ended well: everything is stored and verified. */
export interface TransferDoneEvent extends Told {
  readonly event: 'transfer-done';
  readonly kind: 'file' | 'folder';
  /** Where the receiver stored it, absolute; only with direction `incoming`, and not for stdout. */
  readonly path?: string;
  readonly bytes: number;
  /** Bytes that were not sent again. */
  readonly resumed: number;
  /** Regular files. */
  readonly files: number;
  /** Files that the receiver had already. Where it is all: nothing was stored anew. */
  readonly same: number;
  /** Entries that could not be sent or stored; each was told by a `transfer-note`. */
  readonly refused: number;
  /** From the answer to the offer to the verified file. */
  readonly seconds: number;
  /** Of kind `file` only. */
  readonly blake3?: string;
}

/** An offer or a transfer has ended otherwise. */
export interface TransferFailedEvent extends Told {
  readonly event: 'transfer-failed';
  readonly code: TransferCode;
  readonly message: string;
  /** Whose wish or report it is: `you`, this client's own person cancelled or refused it; `peer`, the other side ended it. Left out otherwise. */
  readonly by?: 'you' | 'peer';
}

export type TransferOutcome = TransferDoneEvent | TransferFailedEvent;

export type TransferEvent = OfferEvent | OfferUpdateEvent | ProgressEvent | TransferStateEvent | TransferNoteEvent | TransferOutcome;

/** A transfer or offer that has not ended. */
export interface TransferSnapshot extends Told {
  readonly kind: 'file' | 'folder';
  readonly size: number | null;
  readonly files: number;
  /** As in {@link ProgressEvent}. */
  readonly bytes: number;
  readonly state: TransferState;
  readonly waits?: WaitsFor;
  /** Bytes a second; 0 while nothing moves. */
  readonly rate: number;
  /** Seconds, where they can be told. */
  readonly left?: number;
}
