/**
 * What a single transfer is given by the manager of its session, and the events that it makes out of that.
 */
import type { Clock } from '../net/clock.js';
import type { TransferMessage } from '../protocol/peer-messages.js';
import type { BufferPool } from './buffer-pool.js';
import type { Direction, TransferDoneEvent, TransferEvent, TransferFailedEvent } from './events.js';
import type { TransferFailure } from './failure.js';

/** The link of one session, as transfers use it. Neither method throws when the link is gone. */
export interface TransferPort {
  /** Queues a control frame. The order of all frames, data included, is kept. */
  send(message: TransferMessage): void;
  /**
   * Queues `frames`, one or more complete data frames. Resolves when the buffer may be written to again, which is also
   * the sign that the link takes more; rejects when the link is gone.
   */
  sendData(frames: Buffer): Promise<void>;
}

export interface TransferContext {
  readonly peer: string;
  readonly port: TransferPort;
  readonly pool: BufferPool;
  readonly clock: Clock;
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
  readonly size: number;
}

export function failedEvent(context: TransferContext, facts: TransferFacts, failure: TransferFailure): TransferFailedEvent {
  const { id, direction, name } = facts;
  return { event: 'transfer-failed', id, peer: context.peer, direction, name, code: failure.code, message: failure.message };
}

export function doneEvent(
  context: TransferContext,
  facts: TransferFacts,
  outcome: { startMs: number; blake3: string; path?: string },
): TransferDoneEvent {
  const { id, direction, name, size } = facts;
  const { startMs, ...rest } = outcome;
  const seconds = (context.clock.now() - startMs) / 1000;
  return { event: 'transfer-done', id, peer: context.peer, direction, name, bytes: size, resumed: 0, seconds, ...rest };
}
