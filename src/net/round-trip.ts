/**
 * The time from a ping to its answer. Pings of a link are answered in order, so each `pong` belongs to the oldest one.
 *
 * Owns the times only; when a ping goes out is decided by the link.
 */
import { timeLimits } from '../protocol/limits.js';
import type { Clock } from './clock.js';
import { deferred, type Deferred } from './deferred.js';

export class RoundTrip {
  readonly #clock: Clock;
  /** When the pings without an answer went out, oldest first; a dead link ends long before there are many. */
  #sentAt: number[] = [];
  /** Whoever waits for the answer to the next ping or one that is under way. */
  #waiting: Deferred<number | undefined> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether somebody waits for the next answer already. */
  get awaited(): boolean {
    return this.#waiting !== undefined;
  }

  /** A ping goes out. */
  ping(): void {
    this.#sentAt.push(this.#clock.now());
  }

  /** An answer came. One to nothing means nothing. */
  pong(): void {
    const sentAt = this.#sentAt.shift();
    if (sentAt === undefined) return;
    this.#settle(this.#clock.now() - sentAt);
  }

  /** Milliseconds of the next answer; undefined when none comes within {@link timeLimits.roundTripMs}, or the link ends. */
  next(): Promise<number | undefined> {
    if (this.#waiting === undefined) {
      const waiting = (this.#waiting = deferred<number | undefined>());
      const timer = this.#clock.after(timeLimits.roundTripMs, () => {
        if (this.#waiting === waiting) this.#settle(undefined);
      });
      void waiting.promise.then(() => timer.stop());
    }
    return this.#waiting.promise;
  }

  /** Nothing comes any more. Idempotent. */
  end(): void {
    this.#settle(undefined);
  }

  #settle(ms: number | undefined): void {
    this.#waiting?.resolve(ms);
    this.#waiting = undefined;
  }
}
