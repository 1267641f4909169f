/**
 * The notes about single entries of one transfer: the first few one by one, the others as a number at its end.
 */
import { transferLimits } from '../protocol/limits.js';

export class Notes {
  readonly #tell: (path: string, note: string) => void;
  #told = 0;
  #untold = 0;

  constructor(tell: (path: string, note: string) => void) {
    this.#tell = tell;
  }

  add(path: string, note: string): void {
    if (this.#told >= transferLimits.toldSkips) {
      this.#untold += 1;
      return;
    }
    this.#told += 1;
    this.#tell(path, note);
  }

  /** Tells how many were not told. */
  end(): void {
    if (this.#untold > 0) this.#tell('', `${this.#untold} more like these`);
    this.#untold = 0;
  }
}
