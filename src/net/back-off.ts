/**
 * Waits between attempts to re-make a link: exponential with full jitter, so that the clients of a restarted server
 * do not come back all at once (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
import { timeLimits } from '../protocol/limits.js';

/**
 * Milliseconds to wait before `attempt` (1, 2, 3, …). `random` is in [0, 1).
 *
 * The first wait is never longer than `backOffFirstMs`; none is longer than `backOffLastMs`.
 */
export function backOffMs(attempt: number, random: number): number {
  const ceiling = Math.min(timeLimits.backOffLastMs, timeLimits.backOffFirstMs * 2 ** Math.min(attempt - 1, 16));
  return Math.round(ceiling * (0.25 + 0.75 * random));
}
