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
  #bytes = 0;
  #told = { bytes: 0, at: 0 };
  #rate: number | undefined;
  #timer: Timer | undefined;

  /** @param report called at most every `timeLimits.progressMs`, and only when `bytes` has grown. */
  constructor(clock: Clock, report: (bytes: number, rate: number) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Starts to measure. */
  start(): void {
    this.#told = { bytes: 0, at: this.#clock.now() };
    this.#timer ??= this.#clock.every(timeLimits.progressMs, () => this.#tick());
  }

  /** Moves on to `bytes` in total. */
  reach(bytes: number): void {
    this.#bytes = bytes;
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #tick(): void {
    const now = this.#clock.now();
    const elapsedMs = now - this.#told.at;
    if (this.#bytes === this.#told.bytes || elapsedMs <= 0) return;
    this.#rate = smoothedRate(this.#rate, this.#bytes - this.#told.bytes, elapsedMs);
    this.#told = { bytes: this.#bytes, at: now };
    this.#report(this.#bytes, Math.round(this.#rate));
  }
}
