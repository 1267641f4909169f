/**
 * One file being received: written from its first byte on, flushed, given its name or removed.
 *
 * Owns the open handle. Flushing goes along with writing, since a gigabyte flushed at the end takes as long as sending it
 * did (measured here: 10 to 30 ms behind the last byte instead of 400).
 */
import type { FileHandle } from 'node:fs/promises';
import { unlink } from 'node:fs/promises';
import { systemCode } from '../protocol/errors.js';
import { transferLimits } from '../protocol/limits.js';

/** Bytes after which a flush in the background begins, unless one is under way. */
const FLUSH_STEP_BYTES = 32 * 1024 * 1024;

/** The step that gives a finished file its name; see `ReceiveStore.name`. */
export interface FileNamer {
  name(partial: string, handle: FileHandle, name: string): Promise<string>;
}

/** What a transfer needs of the file it writes; {@link PartialFile} is the real one. */
export interface PartialSink {
  write(bytes: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  publish(name: string): Promise<string>;
  discard(): Promise<void>;
}

export class PartialFile implements PartialSink {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #namer: FileNamer;
  #written = 0;
  #unflushed = 0;
  #flushing: 'idle' | 'running' | { readonly failed: unknown } = 'idle';
  #flushed: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, path: string, namer: FileNamer) {
    this.#handle = handle;
    this.#path = path;
    this.#namer = namer;
  }

  /** Appends. One call at a time: parallel writes to one file only wait for its lock. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const step = Math.min(transferLimits.writeBytes, bytes.length - at);
      const { bytesWritten } = await this.#handle.write(bytes, at, step, this.#written);
      at += bytesWritten;
      this.#written += bytesWritten;
    }
    this.#unflushed += bytes.length;
    this.#throwFlushError();
    if (this.#unflushed >= FLUSH_STEP_BYTES && this.#flushing === 'idle') this.#flushed = this.#flushInBackground();
  }

  /** All bytes are on the disk when this resolves. */
  async flush(): Promise<void> {
    await this.#flushed;
    this.#throwFlushError();
    await this.#handle.datasync();
  }

  /**
   * Gives the file its name and closes it; call {@link flush} before. On an error {@link discard} is still due.
   *
   * @returns the absolute path.
   */
  async publish(name: string): Promise<string> {
    const path = await this.#namer.name(this.#path, this.#handle, name);
    await this.#handle.close();
    return path;
  }

  /** Closes and removes the partial. */
  async discard(): Promise<void> {
    await this.#flushed;
    await this.#handle.close();
    try {
      await unlink(this.#path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }

  async #flushInBackground(): Promise<void> {
    this.#flushing = 'running';
    this.#unflushed = 0;
    try {
      await this.#handle.datasync();
      this.#flushing = 'idle';
    } catch (failed) {
      // The system tells a failed flush once and then calls the pages clean, so it must not be lost.
      this.#flushing = { failed };
    }
  }

  #throwFlushError(): void {
    if (typeof this.#flushing === 'object') throw this.#flushing.failed;
  }
}
