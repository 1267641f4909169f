/**
 * Decides which events of offers and transfers are worth a line. Pure but for the memory of what was last said of each.
 *
 * Programs get every event (json-face.ts); people get those that say something new.
 */
import type { ClientEvent, ClientEventOf } from '../client/api.js';
import { percent } from './quantities.js';
import { terminalLimits } from '../protocol/limits.js';

/** What was said of an offer or transfer that has not ended. */
interface Said {
  /** Whether nobody has answered the offer, as far as events tell. */
  open: boolean;
  counted: boolean;
  /** How many files were said to be there already. */
  same: number | undefined;
  sameAt: number;
  /** The last `transfer-state` that was shown, or that a start without one amounts to. */
  state: string;
  progress: { at: number; percent: number } | undefined;
}

/** As a state and what it waits for are remembered. */
const RUNNING = 'running ';

export class ProgressPace {
  /** Only what has not ended is kept; the engine bounds that. */
  readonly #said = new Map<number, Said>();

  /**
   * Whether `event` deserves a line at `nowMs`; true for all that is not about a transfer. Every event must be passed: ends
   * of transfers forget them.
   */
  isDue(event: ClientEvent, nowMs: number): boolean {
    switch (event.event) {
      case 'offer':
        this.#said.set(event.id, { ...startOf(), open: event.direction === 'outgoing' || event.decision === 'ask', counted: event.counted, same: event.same });
        return true;
      case 'offer-update':
        return this.#updateIsDue(event, nowMs);
      case 'progress':
        return this.#progressIsDue(event, nowMs);
      case 'transfer-state':
        return this.#stateIsDue(event);
      case 'transfer-done':
      case 'transfer-failed':
        this.#said.delete(event.id);
        return true;
      default:
        return true;
    }
  }

  /** When all has been counted, and when files turn out to be there already; not for every step of a count. */
  #updateIsDue(event: ClientEventOf<'offer-update'>, nowMs: number): boolean {
    const said = this.#of(event.id);
    if (!said.open) return false;
    const newlyCounted = event.counted && !said.counted;
    const newlySame = event.same !== undefined && event.same > 0 && event.same !== said.same && nowMs - said.sameAt >= terminalLimits.progressEveryMs;
    if (!newlyCounted && !newlySame) return false;
    said.counted ||= event.counted;
    said.same = event.same;
    if (newlySame) said.sameAt = nowMs;
    return true;
  }

  /** The first comes after two seconds, so that short transfers have none. */
  #progressIsDue(event: ClientEventOf<'progress'>, nowMs: number): boolean {
    const said = this.#of(event.id);
    said.open = false;
    // What still arrives of a transfer that is paused is no news.
    if (said.state !== RUNNING) return false;
    const share = event.total === null ? 0 : percent(event.bytes, event.total);
    const last = said.progress;
    if (last === undefined) {
      said.progress = { at: nowMs, percent: -terminalLimits.progressStepPercent };
      return false;
    }
    const waited = nowMs - last.at;
    if (waited < terminalLimits.progressEveryMs) return false;
    if (share - last.percent < terminalLimits.progressStepPercent && waited < terminalLimits.progressAtLeastEveryMs) return false;
    said.progress = { at: nowMs, percent: share };
    return true;
  }

  /** That it runs is news only after something else was said. */
  #stateIsDue(event: ClientEventOf<'transfer-state'>): boolean {
    const said = this.#of(event.id);
    if (event.state !== 'offered') said.open = false;
    const state = `${event.state} ${event.waits ?? ''}`;
    if (state === said.state) return false;
    said.state = state;
    return true;
  }

  #of(id: number): Said {
    let said = this.#said.get(id);
    if (said === undefined) {
      said = startOf();
      this.#said.set(id, said);
    }
    return said;
  }
}

function startOf(): Said {
  return { open: false, counted: true, same: undefined, sameAt: Number.NEGATIVE_INFINITY, state: RUNNING, progress: undefined };
}
