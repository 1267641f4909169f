/**
 * A stream that text is written to, with its backpressure and its end: stdout may be a slow pipe, or close (`| head`).
 */
import type { Writable } from 'node:stream';
import { debuglog } from 'node:util';

const debug = debuglog('p2p-terminal');

/** What process.stdout is: a terminal has a size and colours. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number; getColorDepth?(): number; _refreshSize?(): void };

export class Output {
  readonly #stream: OutputStream;
  readonly #broken = new AbortController();
  #drained: Promise<void> | undefined;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    stream.on('error', (error) => {
      // Where it is stderr that broke, the debug line itself fails again.
      if (this.#broken.signal.aborted) return;
      this.#broken.abort();
      debug('output broke: %s', error.message);
    });
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Cells in a row; undefined where there is no terminal. */
  get columns(): number | undefined {
    return this.isTTY && this.#stream.columns !== undefined && this.#stream.columns > 0 ? this.#stream.columns : undefined;
  }

  /** Rows of the window; undefined where there is no terminal. */
  get rows(): number | undefined {
    return this.isTTY && this.#stream.rows !== undefined && this.#stream.rows > 0 ? this.#stream.rows : undefined;
  }

  /**
   * Asks the terminal for its size, and has {@link onResize} called where it is another. Node learns of a change by a signal,
   * which may come after what was written for the old size. What asks is not documented, and may be missing.
   */
  refreshSize(): void {
    this.#stream._refreshSize?.();
  }

  /** How many colours the terminal says it has, in bits; 1 where there is none. */
  get colourDepth(): number {
    return this.#stream.getColorDepth?.() ?? 1;
  }

  /** `listener` is called when the size of the terminal has changed. */
  onResize(listener: () => void): void {
    this.#stream.on('resize', listener);
  }

  offResize(listener: () => void): void {
    this.#stream.off('resize', listener);
  }

  /** Aborted once nobody reads any more. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** @returns Undefined while there is room, otherwise a promise that resolves when there is again, or nobody reads any more. */
  write(text: string): Promise<void> | undefined {
    if (this.broken.aborted) return undefined;
    if (this.#stream.write(text)) return undefined;
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#stream.off('drain', done);
        this.broken.removeEventListener('abort', done);
        this.#drained = undefined;
        resolve();
      };
      this.#stream.on('drain', done);
      this.broken.addEventListener('abort', done);
    });
    return this.#drained;
  }
}
