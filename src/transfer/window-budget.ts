/**
 * The windows of all incoming transfers of the program together (PROTOCOL.md 7.5.3): each may be held in memory whole, so
 * many peers with many transfers get smaller ones, and the last have to wait.
 */
import { transferLimits } from '../protocol/limits.js';

/** Window sizes, the largest first, and how much may be granted in all before the next smaller one is given. */
const STEPS: readonly { readonly bytes: number; readonly until: number }[] = [
  { bytes: transferLimits.windowBytes, until: transferLimits.allWindowsBytes / 2 },
  { bytes: transferLimits.windowBytes / 8, until: (transferLimits.allWindowsBytes * 3) / 4 },
  { bytes: transferLimits.leastWindowBytes, until: transferLimits.allWindowsBytes },
];

export class WindowBudget {
  #granted = 0;
  readonly #waiting = new Set<() => void>();

  /** @returns bytes, or undefined where all is given away: then {@link whenFree} tells when to ask again. */
  take(): number | undefined {
    const step = STEPS.find(({ bytes, until }) => this.#granted + bytes <= until);
    if (step === undefined) return undefined;
    this.#granted += step.bytes;
    return step.bytes;
  }

  give(bytes: number): void {
    this.#granted -= bytes;
    for (const tell of [...this.#waiting]) tell();
  }

  /** Calls `tell` whenever a window was given back, until the returned function is called. */
  whenFree(tell: () => void): () => void {
    this.#waiting.add(tell);
    return () => void this.#waiting.delete(tell);
  }
}
