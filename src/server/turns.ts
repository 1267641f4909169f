/**
 * One costly step a turn of the event loop: an OPAQUE answer takes 1.5 ms, and five hundred in a row would hold everybody else's
 * messages up for most of a second (HOSTILE 8).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs `step` after the steps asked for earlier, in a turn of its own. The queue is bounded by one step a connection. */
  run<T>(step: () => T): Promise<T> {
    const result = this.#last.then(() => nextTurn()).then(step);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
