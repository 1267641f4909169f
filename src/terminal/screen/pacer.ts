/**
 * Does something soon after it was asked for, and never more often than once in a given time.
 */
import type { Clock, Timer } from '../../net/clock.js';

export class Pacer {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #action: () => void;
  #lastAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** @param everyMs The shortest time between the starts of two actions, milliseconds. */
  constructor(clock: Clock, everyMs: number, action: () => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#action = action;
  }

  /** At once, or as soon as the time is over; asked for several times meanwhile, it is done once. */
  ask(): void {
    if (this.#timer !== undefined) return;
    const wait = this.#lastAt + this.#everyMs - this.#clock.now();
    if (wait <= 0) this.#act();
    else this.#timer = this.#clock.after(wait, () => this.#act());
  }

  /** Forgets what was asked for. */
  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #act(): void {
    this.#timer = undefined;
    this.#lastAt = this.#clock.now();
    this.#action();
  }
}
