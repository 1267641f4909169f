/**
 * What a single transfer is given by the manager of its session, and the events that it makes out of that.
 */
import type { Clock } from '../net/clock.js';
import { LinkLost } from '../protocol/errors.js';
import type { TransferMessage } from '../protocol/peer-messages.js';
import type { BufferPool } from './buffer-pool.js';
import type { Direction, TransferEvent, TransferFailedEvent, TransferNoteEvent, TransferSnapshot, TransferState, TransferStateEvent, WaitsFor } from './events.js';
import type { TransferFailure } from './failure.js';
import type { RateLimiter } from './rate-limit.js';

/** The link of one session, as transfers use it. Neither method throws when the link is gone. */
export interface TransferPort {
  /** Queues a control frame. The order of all frames, data included, is kept. */
  send(message: TransferMessage): void;
  /**
   * Queues `frames`, one or more complete data and end frames. Resolves when the buffer may be written to again, which is also
   * the sign that the link takes more; rejects with LinkLost when the link is gone.
   */
  sendData(frames: Buffer): Promise<void>;
  /** A lot is about to be received over it. */
  readMuch(): void;
}

/** The port of a session whose links come and go. Without one, messages are dropped: what matters is said again on the next. */
export class SessionPort implements TransferPort {
  #link: TransferPort | undefined;

  set link(link: TransferPort | undefined) {
    this.#link = link;
  }

  send(message: TransferMessage): void {
    this.#link?.send(message);
  }

  sendData(frames: Buffer): Promise<void> {
    return this.#link?.sendData(frames) ?? Promise.reject(new LinkLost('link-lost', 'The connection is closed.'));
  }

  readMuch(): void {
    this.#link?.readMuch();
  }
}

export interface TransferContext {
  readonly peer: string;
  /** Of the peer's key. */
  readonly fingerprint: string;
  readonly port: TransferPort;
  /** Blocks of received data. */
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  emit(event: TransferEvent): void;
}

/** What identifies a transfer to people and on the wire. */
export interface TransferFacts {
  /** Number shown to people. */
  readonly id: number;
  /** Number on the wire. */
  readonly transfer: number;
  readonly direction: Direction;
  readonly name: string;
}

function told(context: TransferContext, { id, direction, name }: TransferFacts) {
  return { id, peer: context.peer, direction, name };
}

/** How a transfer is listed. */
export function snapshot(
  context: TransferContext,
  facts: TransferFacts,
  what: Pick<TransferSnapshot, 'kind' | 'size' | 'files'>,
  { bytes, rate }: { readonly bytes: number; readonly rate: number },
  { state, waits }: { readonly state: TransferState; readonly waits: WaitsFor | undefined },
): TransferSnapshot {
  const { kind, size, files } = what;
  const moving = state === 'running' ? rate : 0;
  const left = moving > 0 && size !== null ? { left: Math.max(0, size - bytes) / moving } : {};
  return { ...told(context, facts), kind, size, files, bytes, rate: moving, state, ...(waits === undefined ? {} : { waits }), ...left };
}

export function failedEvent(context: TransferContext, facts: TransferFacts, { code, message, by }: TransferFailure): TransferFailedEvent {
  return { event: 'transfer-failed', ...told(context, facts), code, message, ...(by === undefined ? {} : { by }) };
}

export function stateEvent(context: TransferContext, facts: TransferFacts, state: TransferState, waits: WaitsFor | undefined): TransferStateEvent {
  return { event: 'transfer-state', ...told(context, facts), state, ...(waits === undefined ? {} : { waits }) };
}

export function noteEvent(context: TransferContext, facts: TransferFacts, path: string, note: string): TransferNoteEvent {
  return { event: 'transfer-note', ...told(context, facts), path, note };
}
