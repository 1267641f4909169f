/**
 * The race of paths to a peer (PROTOCOL.md 7.1): all are tried, staggered; the first that yields a value wins, exactly one lives.
 *
 * Knows nothing of what a path is: dialling a candidate, waiting for the other's dial, and whatever comes later are
 * entries in one list.
 */
import { errorText, P2pError } from '../protocol/errors.js';
import type { Clock, Timer } from './clock.js';

export interface Path<T> {
  /** For the report: an address, or words. */
  readonly name: string;
  /** Milliseconds after the start of the race. */
  readonly delayMs: number;
  /** Must settle soon after `signal` aborts, and clean up what it opened when it rejects. */
  attempt(signal: AbortSignal): Promise<T>;
}

export interface RaceOptions<T> {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called for a value that came too late. */
  discard(value: T): void;
}

/** What became of one path; `reason` is for a person. */
export interface PathFailure {
  readonly name: string;
  readonly reason: string;
}

/** No path worked. `failures` are in the order of the paths. */
export class NoPath extends P2pError {
  override readonly name = 'NoPath';
  readonly failures: readonly PathFailure[];

  constructor(failures: readonly PathFailure[]) {
    super('no-path', failures.map(({ name, reason }) => `${name}: ${reason}`).join('; '));
    this.failures = failures;
  }
}

/**
 * Runs the race.
 *
 * @throws NoPath when every path has failed or the time is up; P2pError `closed` when `signal` aborts.
 */
export function race<T>(paths: readonly Path<T>[], options: RaceOptions<T>): Promise<T> {
  const { clock, signal } = options;
  const stop = new AbortController();
  const timers: Timer[] = [];
  const failures = new Map<Path<T>, string>();
  return new Promise((resolve, reject) => {
    let over = false;
    const finish = (settle: () => void) => {
      if (over) return;
      over = true;
      for (const timer of timers) timer.stop();
      signal.removeEventListener('abort', onAbort);
      settle();
      stop.abort();
    };
    const lose = () =>
      finish(() => reject(new NoPath(paths.map((path) => ({ name: path.name, reason: failures.get(path) ?? 'no answer' })))));
    const onAbort = () => finish(() => reject(new P2pError('closed', 'The attempt was ended.')));
    const run = async (path: Path<T>) => {
      try {
        const value = await path.attempt(stop.signal);
        if (over) options.discard(value);
        else finish(() => resolve(value));
      } catch (error) {
        failures.set(path, errorText(error));
        if (failures.size === paths.length) lose();
      }
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    timers.push(clock.after(options.timeoutMs, lose));
    for (const path of paths) {
      if (path.delayMs === 0) void run(path);
      else timers.push(clock.after(path.delayMs, () => void run(path)));
    }
    if (paths.length === 0) lose();
  });
}
