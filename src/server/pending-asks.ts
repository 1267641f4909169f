/**
 * The questions that one client has been asked and has not answered (PROTOCOL.md 5.5): the target's side of an introduction, kept
 * with the target's link.
 */
import { serverLimits, timeLimits } from '../protocol/limits.js';
import type { Clock, Timer } from '../net/clock.js';
import type { LinkAddress } from './backend.js';

export class PendingAsks {
  readonly #clock: Clock;
  /** By introduction id. */
  readonly #asks = new Map<string, { readonly asker: LinkAddress; readonly timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False when so many wait already that this one counts as refused (HOSTILE 12). */
  add(introduction: string, asker: LinkAddress): boolean {
    if (this.#asks.size >= serverLimits.pendingIntroductionsPerTarget) return false;
    const timer = this.#clock.after(timeLimits.answerMs, () => this.#asks.delete(introduction));
    this.#asks.set(introduction, { asker, timer });
    return true;
  }

  /** Whom the answer to `introduction` is for; undefined when nobody asked, or no longer waits, or has the answer. */
  take(introduction: string): LinkAddress | undefined {
    const ask = this.#asks.get(introduction);
    ask?.timer.stop();
    this.#asks.delete(introduction);
    return ask?.asker;
  }

  /** Forgets all, and says who is still waiting for which. */
  drain(): { readonly introduction: string; readonly asker: LinkAddress }[] {
    const open = [...this.#asks].map(([introduction, { asker, timer }]) => {
      timer.stop();
      return { introduction, asker };
    });
    this.#asks.clear();
    return open;
  }
}
