/**
 * Counts of something per key and time window, for a bounded number of keys: new connections of an address, failed logins of an
 * account, introductions asked by one.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { serverLimits } from '../protocol/limits.js';

export interface RateRule {
  readonly points: number;
  readonly seconds: number;
}

export class Rates {
  readonly #limiter: RateLimiterMemory;
  /** Oldest first. The limiter itself would remember any number of keys. */
  readonly #keys = new Set<string>();

  constructor({ points, seconds }: RateRule) {
    this.#limiter = new RateLimiterMemory({ points, duration: seconds });
  }

  /** Counts one for `key`; false when its window is used up. */
  async take(key: string): Promise<boolean> {
    await this.#remember(key);
    try {
      await this.#limiter.consume(key);
      return true;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return false;
      throw refusal;
    }
  }

  /** Undoes one {@link take}. */
  async giveBack(key: string): Promise<void> {
    if (this.#keys.has(key)) await this.#limiter.reward(key);
  }

  async #remember(key: string): Promise<void> {
    this.#keys.delete(key);
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size <= serverLimits.rememberedAddresses || oldest === undefined) return;
    this.#keys.delete(oldest);
    await this.#limiter.delete(oldest);
  }
}
