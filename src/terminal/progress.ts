/**
 * Decides when a running transfer is worth another line. Pure but for the memory of the last line of each transfer.
 */
import type { ClientEvent } from '../client/api.js';
import { percent } from './quantities.js';
import { terminalLimits } from '../protocol/limits.js';

export class ProgressPace {
  /** Only transfers under way are kept; the engine bounds those. */
  readonly #last = new Map<number, { at: number; percent: number }>();

  /**
   * Whether `event` deserves a line at `nowMs`. The first comes after two seconds, so that short transfers have none.
   * Ends of transfers must be passed as well: they forget them.
   */
  isDue(event: ClientEvent, nowMs: number): boolean {
    if (event.event === 'transfer-done' || event.event === 'transfer-failed') this.#last.delete(event.id);
    if (event.event !== 'progress') return false;
    const share = percent(event.bytes, event.total);
    const last = this.#last.get(event.id);
    if (last === undefined) {
      this.#last.set(event.id, { at: nowMs, percent: -terminalLimits.progressStepPercent });
      return false;
    }
    const waited = nowMs - last.at;
    if (waited < terminalLimits.progressEveryMs) return false;
    if (share - last.percent < terminalLimits.progressStepPercent && waited < terminalLimits.progressAtLeastEveryMs) return false;
    this.#last.set(event.id, { at: nowMs, percent: share });
    return true;
  }
}
