/** A clock that moves only when a test says so. */
import type { Clock, Timer } from '../../src/net/clock.js';

export class ManualClock implements Clock {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<number, { due: number; every: number | undefined; action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): Timer {
    return this.#add(ms, undefined, action);
  }

  every(ms: number, action: () => void): Timer {
    return this.#add(ms, ms, action);
  }

  /** Moves time forward and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers.entries()].filter(([, timer]) => timer.due <= end).sort((a, b) => a[1].due - b[1].due)[0];
      if (due === undefined) break;
      const [id, timer] = due;
      this.#now = timer.due;
      if (timer.every === undefined) this.#timers.delete(id);
      else timer.due += timer.every;
      timer.action();
    }
    this.#now = end;
  }

  get pending(): number {
    return this.#timers.size;
  }

  #add(ms: number, every: number | undefined, action: () => void): Timer {
    const id = this.#next++;
    this.#timers.set(id, { due: this.#now + ms, every, action });
    return { stop: () => void this.#timers.delete(id) };
  }
}
