/**
 * Progress of one transfer: how far, how fast, and not told more often than a screen can use.
 *
 * Owns the throttle and the smoothing; what counts as progress is the caller's decision.
 */
import type { Clock, Timer } from '../net/clock.js';
import { timeLimits } from '../protocol/limits.js';

/** Time constant of the smoothing: the rate follows a change within a few seconds and does not flicker. */
const SMOOTHING_MS = 2000;

/**
 * Exponentially smoothed rate in bytes a second, for samples at uneven distances: a sample that covers `elapsedMs` weighs
 * 1 − e^(−elapsed / 2 s). The first sample stands as it is.
 */
export function smoothedRate(before: number | undefined, bytes: number, elapsedMs: number): number {
  const sample = (bytes * 1000) / elapsedMs;
  if (before === undefined) return sample;
  const weight = 1 - Math.exp(-elapsedMs / SMOOTHING_MS);
  return before + weight * (sample - before);
}

export class ProgressMeter {
  readonly #clock: Clock;
  readonly #report: (bytes: number, rate: number) => void;
  /** Bytes that moved, and bytes that were there: only the former have a rate. */
  #moved = 0;
  #had = 0;
  #told = { bytes: 0, moved: 0, at: 0 };
  #rate: number | undefined;
  #timer: Timer | undefined;

  /** @param report called at most every `timeLimits.progressMs`, and only when the number of bytes has changed. */
  constructor(clock: Clock, report: (bytes: number, rate: number) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Moved or there already. */
  get bytes(): number {
    return this.#moved + this.#had;
  }

  /** Bytes a second, smoothed; 0 before anything has moved. */
  get rate(): number {
    return Math.round(this.#rate ?? 0);
  }

  /** Starts to measure, from nothing: on a new link what moved before is there already. */
  start(): void {
    this.#moved = 0;
    this.#had = 0;
    this.#rate = undefined;
    this.#told = { bytes: 0, moved: 0, at: this.#clock.now() };
    this.#timer ??= this.#clock.every(timeLimits.progressMs, () => this.#tick());
  }

  /** Moves on to `moved` bytes in total, besides `had` that were there already. */
  reach(moved: number, had: number): void {
    this.#moved = moved;
    this.#had = had;
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    this.#rate = undefined;
  }

  #tick(): void {
    const now = this.#clock.now();
    const elapsedMs = now - this.#told.at;
    if (elapsedMs <= 0) return;
    const { bytes } = this;
    if (bytes === this.#told.bytes) {
      // Stands still: the rate fades, so that the time left is no lie.
      if (this.#rate !== undefined && elapsedMs >= SMOOTHING_MS) this.#rate = smoothedRate(this.#rate, 0, timeLimits.progressMs);
      return;
    }
    this.#rate = smoothedRate(this.#rate, this.#moved - this.#told.moved, elapsedMs);
    this.#told = { bytes, moved: this.#moved, at: now };
    this.#report(bytes, this.rate);
  }
}
