/**
 * A link: frames over a socket, with heartbeat, bounded send queue and one way to close (PROTOCOL.md 2).
 *
 * Knows frames, not messages: what a frame means and whether it is legal is decided by its owner, who throws a
 * RemoteViolation to have the link closed with a word to the other side.
 */
import type { Duplex } from 'node:stream';
import { LinkLost, RemoteViolation, type P2pError } from '../protocol/errors.js';
import { FrameDecoder, type FrameDecoderOptions, type FrameEvent } from '../protocol/frames.js';
import { frameLimits, timeLimits } from '../protocol/limits.js';
import type { Clock, Timer } from './clock.js';
import { Heartbeat } from './heartbeat.js';
import { readSocket } from './socket-reads.js';

export interface ConnectionHandlers {
  /** One frame or piece of a data frame; runs to completion before the next. May throw RemoteViolation. */
  onFrame(event: FrameEvent): void;
  /** Time for a ping. */
  onPingDue(): void;
  /** The frame that tells the other side of its violation, or undefined for silence. */
  farewell(violation: RemoteViolation): Uint8Array | undefined;
  /** The end, exactly once. `reason` is undefined after our own {@link Connection.close}. */
  onEnd(reason: P2pError | undefined): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly handlers: ConnectionHandlers;
  /** Bytes of control frames that may wait for a slow reader; more ends the link as `too-slow`. */
  readonly sendQueueBytes: number;
  /** A queue that does not move for this long ends the link as `too-slow`; undefined: only the heartbeat decides. */
  readonly sendStallMs?: number;
}

/** Bytes of frames, TLS's own left out. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

type State = 'open' | 'closing' | 'closed';

export class Connection {
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #decoder = new FrameDecoder({ maxJsonBytes: frameLimits.beforeLoginBytes, allowData: false });
  readonly #nextFrame = () => this.#decoder.next();
  readonly #heartbeat: Heartbeat;
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => undefined;
  /** Ends of data writes that have not called back. */
  readonly #sending = new Set<() => void>();
  #state: State = 'open';
  #queuedBytes = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #stallTimer: Timer | undefined;
  #closeTimer: Timer | undefined;
  #reason: P2pError | undefined;

  /** Takes over `socket`; reading begins in the next turn, so that the caller can finish its set-up. */
  constructor(socket: Duplex, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#heartbeat = new Heartbeat(options.clock, {
      reading: () => !socket.isPaused(),
      ping: () => options.handlers.onPingDue(),
      dead: () => this.destroy(new LinkLost('timed-out', 'The other side has been silent for 90 seconds.')),
    });
    readSocket(socket, (chunk) => this.#onData(chunk));
    socket.on('error', (cause: Error) => this.destroy(new LinkLost('link-lost', 'The connection broke.', { cause })));
    socket.on('end', () => this.#onEnd());
    socket.on('close', () => this.#finish(new LinkLost('link-lost', 'The connection broke.')));
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Bytes of frames so far, both ways. */
  get traffic(): Traffic {
    return { sent: this.#sentBytes, received: this.#receivedBytes };
  }

  /** Frame limits from the next frame on, even within the chunk that is being read. */
  setLimits(limits: FrameDecoderOptions): void {
    this.#decoder.options = limits;
  }

  /** Queues a control frame. On a link that is ending it does nothing: the end is told by `onEnd`. */
  send(frame: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#queuedBytes += frame.length;
    this.#sentBytes += frame.length;
    if (this.#queuedBytes > this.#options.sendQueueBytes) {
      this.destroy(new LinkLost('too-slow', 'The other side reads too slowly.'));
      return;
    }
    this.#heartbeat.sent();
    this.#socket.write(frame, () => {
      this.#queuedBytes -= frame.length;
      this.#watchStall();
    });
    if (this.#stallTimer === undefined) this.#watchStall();
  }

  /**
   * Writes complete data frames without a copy. Resolves when `frames` may be reused.
   *
   * @throws LinkLost when the link ends first.
   */
  sendData(frames: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state !== 'open') {
        reject(this.#lost());
        return;
      }
      this.#heartbeat.sent();
      this.#sentBytes += frames.length;
      // Node never calls back for a write that TLS had begun when the socket was destroyed, so the end settles it.
      const onEnd = () => reject(this.#lost());
      this.#sending.add(onEnd);
      this.#socket.write(frames, (error) => {
        if (!this.#sending.delete(onEnd)) return;
        if (error) onEnd();
        else resolve();
      });
    });
  }

  /** Stops reading until {@link resume}; what is in the current chunk is still handed on. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends politely: what is queued, then `last`, then the end of stream; destroyed after {@link timeLimits.closeMs}. Idempotent. */
  close(last?: Uint8Array, reason?: P2pError): Promise<void> {
    if (this.#state === 'open') {
      if (last !== undefined) this.send(last);
      this.#beginClose(reason);
    }
    return this.#ended;
  }

  /** Ends when all that is queued has gone out and the other side ends too, however long that takes; nothing is read any more. */
  finish(): void {
    this.#beginClose(undefined, Number.POSITIVE_INFINITY);
  }

  /** Ends at once. */
  destroy(reason?: P2pError): void {
    if (this.#state === 'closed') return;
    this.#reason ??= reason;
    this.#socket.destroy();
    this.#finish(reason);
  }

  #beginClose(reason: P2pError | undefined, withinMs: number = timeLimits.closeMs): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#reason = reason;
    this.#heartbeat.stop();
    if (withinMs < Number.POSITIVE_INFINITY) this.#closeTimer = this.#options.clock.after(withinMs, () => this.destroy(reason));
    // Without a reader an unread byte would hold back the 'close' event.
    this.#socket.resume();
    this.#socket.end();
  }

  /** Hands events on again, as if they had just come: for an owner that could not take them before. */
  replay(events: readonly FrameEvent[]): void {
    let at = 0;
    this.#handOn(() => events[at++]);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#heartbeat.received();
    this.#receivedBytes += chunk.length;
    this.#decoder.push(chunk);
    this.#handOn(this.#nextFrame);
  }

  /** A loop without a generator: it runs for every 16 KiB. */
  #handOn(next: () => FrameEvent | undefined): void {
    try {
      for (let event = next(); event !== undefined; event = next()) {
        if (!this.#stillOpen()) return;
        this.#options.handlers.onFrame(event);
      }
    } catch (error) {
      if (!(error instanceof RemoteViolation)) throw error;
      const farewell = this.#options.handlers.farewell(error);
      if (farewell !== undefined) this.send(farewell);
      this.#beginClose(error);
    }
  }

  /** A method, since a handler may have changed the state behind the compiler's back. */
  #stillOpen(): boolean {
    return this.#state === 'open';
  }

  #onEnd(): void {
    if (this.#state !== 'open') return;
    this.#beginClose(new LinkLost('link-lost', 'The other side closed the connection.'));
  }

  #watchStall(): void {
    this.#stallTimer?.stop();
    this.#stallTimer = undefined;
    const { sendStallMs, clock } = this.#options;
    if (sendStallMs === undefined || this.#queuedBytes === 0 || this.#state !== 'open') return;
    this.#stallTimer = clock.after(sendStallMs, () => this.destroy(new LinkLost('too-slow', 'The other side has stopped reading.')));
  }

  #lost(): P2pError {
    return this.#reason ?? new LinkLost('link-lost', 'The connection is closed.');
  }

  #finish(reason: P2pError | undefined): void {
    if (this.#state === 'closed') return;
    // After our own close() the end of the socket is what was wanted; before it, it is news.
    const told = this.#state === 'closing' ? this.#reason : (this.#reason ?? reason);
    this.#state = 'closed';
    this.#reason ??= reason;
    this.#heartbeat.stop();
    this.#stallTimer?.stop();
    this.#closeTimer?.stop();
    for (const onEnd of this.#sending) onEnd();
    this.#sending.clear();
    this.#resolveEnded();
    this.#options.handlers.onEnd(told);
  }
}
