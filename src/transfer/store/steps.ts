/**
 * Long work of a thread that others wait for as well: done in steps, between which they get their turn.
 *
 * A step is what a generator does up to its next `yield`; a few milliseconds, so that a small file need not wait for the
 * hashing of a large one.
 */

/** Work that yields where it may be interrupted, and returns its outcome. */
export type Steps<TOutcome> = Generator<undefined, TOutcome, undefined>;

/** All at once. */
export function inOneGo<TOutcome>(steps: Steps<TOutcome>): TOutcome {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Step by step, with everything else that the thread has to do in between. */
export async function inTurns<TOutcome>(steps: Steps<TOutcome>): Promise<TOutcome> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
