/**
 * One costly step a turn of the event loop: an OPAQUE answer takes 1.5 ms, and five hundred in a row would hold everybody else's
 * messages for that time five hundred times (HOSTILE 8).
 */

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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
