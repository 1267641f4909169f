/**
 * One file being received: its open descriptor, how far it is written, and the hash of that.
 *
 * Flushing goes along with writing, since a gigabyte flushed at the end takes as long as sending it did (measured here: 10 to
 * 30 ms behind the last byte instead of 400). It decides neither where the file lies nor when it ends.
 */
import type { Blake3Hasher } from '@napi-rs/blake-hash';
import { transferLimits } from '../../protocol/limits.js';
import type { Disk } from './disk.js';
import type { Identity } from './folder-handle.js';
import type { FoundFile } from './found-file.js';

/** Bytes after which a flush in the background begins, unless one is under way. */
const FLUSH_STEP_BYTES = 32 * 1024 * 1024;

/** Flushes under way of one transfer; the descriptor of each is closed by whoever needs it last. */
export class Flushing {
  readonly #disk: Disk;
  #running = 0;
  #failed: { readonly path: string; readonly error: Error } | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The first that failed. The system tells it once and then calls the pages clean, so it stays. */
  get failed(): { readonly path: string; readonly error: Error } | undefined {
    return this.#failed;
  }

  begin(fd: number, path: string, done: () => void): void {
    this.#running += 1;
    this.#disk.flush(fd, (error) => {
      this.#running -= 1;
      if (error !== null) this.#failed ??= { path, error };
      done();
      if (this.#running > 0) return;
      for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  /** Resolves when none is under way. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}

export class StagedFile {
  readonly path: string;
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #flushing: Flushing;
  readonly #hasher: Blake3Hasher;
  #position: number;
  #unflushed = 0;
  #state: 'open' | 'flushing' | 'closing' | 'closed' = 'open';

  /** @param hasher holds the first `position` bytes. */
  constructor(disk: Disk, path: string, fd: number, { hasher, position, flushing }: { hasher: Blake3Hasher; position: number; flushing: Flushing }) {
    this.#disk = disk;
    this.path = path;
    this.#fd = fd;
    this.#hasher = hasher;
    this.#position = position;
    this.#flushing = flushing;
  }

  get position(): number {
    return this.#position;
  }

  get blake3(): string {
    return this.#hasher.digest('hex');
  }

  /** Appends one step. @returns how many of the bytes were written. @throws system errors; then none were. */
  write(bytes: Buffer): number {
    const step = Math.min(transferLimits.writeBytes, bytes.length);
    const count = this.#disk.write(this.#fd, bytes, 0, step, this.#position);
    this.#hasher.update(count === bytes.length ? bytes : bytes.subarray(0, count));
    this.#position += count;
    this.#unflushed += count;
    if (this.#unflushed >= FLUSH_STEP_BYTES && this.#state === 'open') this.#flush();
    return count;
  }

  /** Which file it is; while open. */
  get identity(): Identity {
    const { dev, ino } = this.#disk.fstat(this.#fd);
    return { dev, ino };
  }

  /** @param modified milliseconds since 1970. */
  setTime(modified: number): void {
    this.#disk.setTime(this.#fd, modified);
  }

  /** What the next link finds of it. */
  found(): FoundFile {
    const { dev, ino, size, mtimeMs, nlink } = this.#disk.fstat(this.#fd);
    const bytes = this.#position;
    const points = bytes > 0 ? [{ bytes, blake3: this.blake3 }] : [];
    return { place: 'staged', path: this.path, stats: { dev, ino, size, mtimeMs, nlink }, points, hasher: this.#hasher };
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 'flushing') this.#state = 'closing';
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#disk.close(this.#fd);
  }

  #flush(): void {
    this.#state = 'flushing';
    this.#unflushed = 0;
    this.#flushing.begin(this.#fd, this.path, () => {
      const closing = this.#state === 'closing';
      this.#state = 'open';
      if (closing) this.close();
    });
  }
}
