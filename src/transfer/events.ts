/**
 * What a transfer tells its session, and through it a screen, a script or a program (README, JSON table).
 *
 * Owns the shapes of the four transfer events and of a snapshot; the engine's event union contains them unchanged. Names
 * in them come from the other side where `direction` is `incoming`: neutralise before showing.
 */
import type { TransferCode } from '../protocol/errors.js';

export type Direction = 'outgoing' | 'incoming';

export interface OfferEvent {
  readonly event: 'offer';
  /** The number that people see and type; counts over all sessions of the program. */
  readonly id: number;
  readonly peer: string;
  readonly direction: Direction;
  readonly name: string;
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
}

/** At most four a second and transfer. */
export interface ProgressEvent {
  readonly event: 'progress';
  readonly id: number;
  /** Receiver: bytes received. Sender: bytes that the receiver has written, as its credit tells. */
  readonly bytes: number;
  readonly total: number;
  /** Bytes a second, smoothed over about two seconds. */
  readonly rate: number;
}

export interface TransferDoneEvent {
  readonly event: 'transfer-done';
  readonly id: number;
  readonly peer: string;
  readonly direction: Direction;
  readonly name: string;
  /** Where the receiver stored it, absolute; only with direction `incoming`. */
  readonly path?: string;
  readonly bytes: number;
  /** Bytes that were not sent again. */
  readonly resumed: number;
  /** From the answer to the offer to the verified file. */
  readonly seconds: number;
  readonly blake3: string;
}

export interface TransferFailedEvent {
  readonly event: 'transfer-failed';
  readonly id: number;
  readonly peer: string;
  readonly direction: Direction;
  readonly name: string;
  readonly code: TransferCode;
  readonly message: string;
}

export type TransferOutcome = TransferDoneEvent | TransferFailedEvent;

export type TransferEvent = OfferEvent | ProgressEvent | TransferOutcome;

/** A transfer or offer that has not ended. */
export interface TransferSnapshot {
  readonly id: number;
  readonly peer: string;
  readonly direction: Direction;
  readonly name: string;
  readonly size: number;
  /** As in {@link ProgressEvent}. */
  readonly bytes: number;
  readonly state: 'offered' | 'running';
}
