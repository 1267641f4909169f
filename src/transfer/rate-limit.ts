/**
 * The rate limit of the whole client (`--limit-rate`): one flow for all that it sends, one for all that it receives.
 *
 * Owns time and turns only. The send pump takes before it sends, incoming.ts before it grants credit.
 */
import type { Clock, Timer } from '../net/clock.js';

/** What may pass at once after a pause: a quarter of a second of the limit. */
const BURST_MS = 250;
/** Not less at once, however low the limit: every frame has a head. */
const LEAST_EVEN_BYTES = 1024;

/** A wait that can be given up. */
export interface Turn {
  /** Resolves when it is time. Never rejects; never resolves after {@link giveUp}. */
  readonly come: Promise<void>;
  /** Gives the place in the queue up. Harmless afterwards. */
  giveUp(): void;
}

/** One direction. Whoever came first goes first, whatever the size. */
export class Flow {
  readonly #clock: Clock;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #limit: number | undefined;
  /** When all that has passed will have been paid for. */
  #paidAt = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes a second; undefined: none. A change holds for those that wait, too. */
  set limit(bytesPerSecond: number | undefined) {
    this.#limit = bytesPerSecond;
    this.#paidAt = Math.min(this.#paidAt, this.#clock.now());
    this.#next();
  }

  /** As many bytes as should pass at once at most, so that the flow is even; undefined without a limit. */
  get evenBytes(): number | undefined {
    return this.#limit === undefined ? undefined : Math.max(LEAST_EVEN_BYTES, Math.floor((this.#limit * BURST_MS) / 1000));
  }

  /** @returns undefined where the bytes may pass at once. */
  take(bytes: number): Turn | undefined {
    if (this.#waiting.length === 0 && this.#passes(bytes)) return undefined;
    let go: () => void = () => undefined;
    const come = new Promise<void>((resolve) => (go = resolve));
    const entry = { bytes, go };
    this.#waiting.push(entry);
    this.#next();
    return {
      come,
      giveUp: () => {
        const at = this.#waiting.indexOf(entry);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        this.#next();
      },
    };
  }

  #passes(bytes: number): boolean {
    if (this.#limit === undefined) return true;
    const now = this.#clock.now();
    if (this.#paidAt > now) return false;
    this.#paidAt = Math.max(this.#paidAt, now - BURST_MS) + (bytes * 1000) / this.#limit;
    return true;
  }

  #next(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#passes(first.bytes)) {
        this.#timer = this.#clock.after(Math.max(1, Math.ceil(this.#paidAt - this.#clock.now())), () => this.#next());
        return;
      }
      this.#waiting.shift();
      first.go();
    }
  }
}

export class RateLimiter {
  readonly sending: Flow;
  readonly receiving: Flow;
  #limit: number | undefined;

  constructor(clock: Clock) {
    this.sending = new Flow(clock);
    this.receiving = new Flow(clock);
  }

  get limit(): number | undefined {
    return this.#limit;
  }

  /** Bytes a second in each direction; undefined: none. */
  set limit(bytesPerSecond: number | undefined) {
    this.#limit = bytesPerSecond;
    this.sending.limit = bytesPerSecond;
    this.receiving.limit = bytesPerSecond;
  }
}
