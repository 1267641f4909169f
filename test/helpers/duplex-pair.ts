/** Two ends of an in-memory byte stream: what one writes, the other reads, in the pieces that `split` makes of it. */
import { Duplex } from 'node:stream';

class End extends Duplex {
  other: End | undefined;
  readonly #split: (chunk: Buffer) => Buffer[];
  #resumeOther: (() => void) | undefined;

  constructor(split: (chunk: Buffer) => Buffer[]) {
    super({ allowHalfOpen: false });
    this.#split = split;
  }

  override _read(): void {
    const resume = this.#resumeOther;
    this.#resumeOther = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const { other } = this;
    if (other === undefined || other.destroyed) {
      callback();
      return;
    }
    let room = true;
    // Copies, as a socket makes them: the writer may reuse its buffer.
    for (const piece of this.#split(Buffer.from(chunk))) room = other.push(piece);
    if (room) setImmediate(callback);
    else other.#resumeOther = callback;
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { other } = this;
    if (other?.destroyed === false) setImmediate(() => other.destroy());
    callback(error);
  }
}

export function duplexPair(split: (chunk: Buffer) => Buffer[] = (chunk) => [chunk]): [Duplex, Duplex] {
  const [one, other] = [new End(split), new End(split)];
  one.other = other;
  other.other = one;
  return [one, other];
}
