/**
 * Time as the rest of the program sees it, so that tests of deadlines and heartbeats need not wait.
 */

/** A timer that can be stopped; stopping twice is harmless. */
export interface Timer {
  stop(): void;
}

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Calls `action` once after `ms` milliseconds. Timers do not keep the process alive: open sockets do. */
  after(ms: number, action: () => void): Timer;
  /** Calls `action` every `ms` milliseconds until stopped. */
  every(ms: number, action: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const handle = setTimeout(action, ms).unref();
    return { stop: () => clearTimeout(handle) };
  },
  every(ms, action) {
    const handle = setInterval(action, ms).unref();
    return { stop: () => clearInterval(handle) };
  },
};
