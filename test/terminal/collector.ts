/** A stream that keeps what is written to it, and tells when something has been. */
import { Writable } from 'node:stream';

const DEADLINE_MS = 10_000;

export class Collector extends Writable {
  text = '';
  readonly #looks = new Set<() => void>();
  /** Writes that are being held back; see {@link hold}. */
  #held: (() => void)[] | undefined;

  constructor(highWaterMark = 16 * 1024) {
    super({ decodeStrings: false, highWaterMark });
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    for (const look of [...this.#looks]) look();
    if (this.#held === undefined) done();
    else this.#held.push(done);
  }

  /** A reader that reads no more, until {@link release}. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const done of held) done();
  }

  lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  async until(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`never written: ${String(pattern)}; but ${this.text}`)), DEADLINE_MS);
      const look = () => {
        if (!pattern.test(this.text)) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}
