/**
 * How a session whose link broke is introduced again (PROTOCOL.md 7.3.1): who asks when, how often, for how long.
 *
 * Owns time and attempts only. What an attempt is and what a link means for the session is the session's business.
 */
import { backOffMs } from '../net/back-off.js';
import type { Clock, Timer } from '../net/clock.js';
import { P2pError, type ErrorCode } from '../protocol/errors.js';
import { peerLimits, timeLimits } from '../protocol/limits.js';

export interface ReconnectionOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Asks the peer once; resolves when the session has a link again. Rejects with P2pError. */
  attempt(): Promise<void>;
  /** An attempt failed in a way that another would only repeat. */
  onFinal(error: P2pError): void;
  /** The time is up. */
  onTimeUp(): void;
}

/** Ends that another attempt would only repeat: a wrong key, or a session that the other person has ended. */
const FINAL: readonly ErrorCode[] = ['peer-key-changed', 'peer-key-wrong', 'bad-pin-file', 'session-closed'];

type State = { readonly at: 'idle' } | { readonly at: 'waiting'; readonly timer: Timer } | { readonly at: 'trying'; readonly outcome: Promise<void> };

export class Reconnection {
  readonly #options: ReconnectionOptions;
  #state: State = { at: 'idle' };
  #deadline: Timer | undefined;
  #attempts = 0;
  /** Links in a row that soon broke: they must not be asked for at once without end. */
  #shortLinks = 0;
  #upSince: number;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
    this.#upSince = options.clock.now();
  }

  /** The link broke. `asksFirst`: this side asked for it, and so tries at once. */
  start(asksFirst: boolean): void {
    const { clock } = this.#options;
    this.#shortLinks = clock.now() - this.#upSince < timeLimits.shortLinkMs ? this.#shortLinks + 1 : 0;
    this.#attempts = Math.max(0, this.#shortLinks - peerLimits.shortLinks);
    this.#deadline = clock.after(timeLimits.reconnectMs, () => this.#options.onTimeUp());
    if (asksFirst && this.#attempts === 0) void this.#begin();
    else this.#wait(asksFirst ? 0 : timeLimits.reconnectAnswererMs);
  }

  /** A link is there, or none is wanted any more. Idempotent. */
  stop(): void {
    this.#deadline?.stop();
    if (this.#state.at === 'waiting') this.#state.timer.stop();
    this.#state = { at: 'idle' };
    this.#upSince = this.#options.clock.now();
  }

  /**
   * Tries at once. An attempt that is under way may have begun before whatever was in the way had gone: where it fails, another
   * follows. @throws P2pError what became of it; then it goes on as before.
   */
  async now(): Promise<void> {
    const state = this.#state;
    if (state.at === 'trying') {
      try {
        await state.outcome;
        return;
      } catch (error) {
        if (this.#state.at !== 'waiting') throw error;
      }
    }
    await this.#begin();
  }

  /** What stood in the way is gone: no need to wait any longer. */
  hurry(): void {
    if (this.#state.at !== 'waiting') return;
    this.#attempts = 0;
    void this.#begin();
  }

  #wait(leastMs = 0): void {
    const { clock, random = Math.random } = this.#options;
    const ms = leastMs + (this.#attempts === 0 ? 0 : backOffMs(this.#attempts, random()));
    this.#state = { at: 'waiting', timer: clock.after(ms, () => void this.#begin()) };
  }

  #begin(): Promise<void> {
    if (this.#state.at === 'waiting') this.#state.timer.stop();
    this.#attempts += 1;
    const outcome = this.#options.attempt();
    const state: State = { at: 'trying', outcome };
    this.#state = state;
    outcome.catch((error: unknown) => {
      if (!(error instanceof P2pError)) throw error;
      // A link that came meanwhile, or the end of the session, has made this attempt pointless.
      if (this.#state !== state) return;
      this.#wait();
      if (FINAL.includes(error.code)) this.#options.onFinal(error);
    });
    return outcome;
  }
}

