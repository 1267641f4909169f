/**
 * The file being sent: looked at when it is offered, opened when the offer is accepted, read in place into data frames
 * and hashed on the way (PROTOCOL.md 7.5).
 *
 * Owns the sender's disk. An offer that waits holds no open file, so that many offers cost nothing; that the file is
 * still the one that was offered is checked when it is opened and again behind its last byte.
 */
import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { P2pError, systemCode } from '../protocol/errors.js';
import { DATA_PREFIX_BYTES, writeDataPrefix } from '../protocol/frames.js';
import { frameLimits, transferLimits } from '../protocol/limits.js';
import { readFailure, TransferFailure } from './failure.js';

/** What is needed of an open file; a `FileHandle` is one. */
export interface SourceHandle {
  stat(): Promise<Stats>;
  /** May read less than asked; 0 at the end of the file. */
  readv(buffers: readonly NodeJS.ArrayBufferView[], position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

export type OpenSource = (path: string) => Promise<SourceHandle>;

/** Opens for reading. `O_NONBLOCK`, since a named pipe put in the file's place would otherwise hold a thread for ever. */
export const openSource: OpenSource = (path) => open(path, constants.O_RDONLY | constants.O_NONBLOCK);

/** What is offered: enough to recognise the same content later. */
export interface SourceInfo {
  readonly path: string;
  /** The name told to the other side. */
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/**
 * Looks at a file that is to be offered, and opens it once to see that it can be read.
 *
 * @throws P2pError `no-such-file`, `not-a-file` (folder, device, pipe), `read-failed`.
 */
export async function inspectSource(path: string, openFile: OpenSource = openSource): Promise<SourceInfo> {
  try {
    mustBeFile(path, await stat(path));
    const handle = await openFile(path);
    try {
      const found = await handle.stat();
      mustBeFile(path, found);
      return { path, name: offeredName(path), size: found.size, modifiedMs: found.mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof P2pError) throw cause;
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new P2pError('no-such-file', `There is no file "${path}".`, { cause });
    const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : code;
    throw new P2pError('read-failed', `"${path}" cannot be read: ${why}.`, { cause });
  }
}

function mustBeFile(path: string, found: Stats): void {
  if (found.isFile()) return;
  if (found.isDirectory()) throw new P2pError('not-a-file', `"${path}" is a folder. Send single files, or pack it first.`);
  throw new P2pError('not-a-file', `"${path}" is not a regular file, so it cannot be sent.`);
}

/** `\` and `:` are legal in names here and refused by every receiver (PROTOCOL.md 7.6). */
function offeredName(path: string): string {
  return basename(path).replace(/[\\:]/gu, '_');
}

/** One file while it is sent, read from its first byte to its last. */
export class SourceFile {
  readonly #handle: SourceHandle;
  readonly #info: SourceInfo;
  readonly #hasher = new Blake3Hasher();
  #at = 0;

  private constructor(handle: SourceHandle, info: SourceInfo) {
    this.#handle = handle;
    this.#info = info;
  }

  /** @throws TransferFailure `read-failed`, `source-changed`. */
  static async open(info: SourceInfo, openFile: OpenSource): Promise<SourceFile> {
    let handle: SourceHandle;
    try {
      handle = await openFile(info.path);
    } catch (error) {
      throw readFailure(error);
    }
    const file = new SourceFile(handle, info);
    try {
      await file.#mustBeUnchanged();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return file;
  }

  /** Offset of the next byte to read. */
  get at(): number {
    return this.#at;
  }

  /**
   * Reads the next bytes, up to offset `end` and at most `maxBytes` (1 to `transferLimits.bufferBytes`), into `buffer` as
   * complete data frames, and returns the part of `buffer` that holds them. One call at a time.
   *
   * @throws TransferFailure `read-failed`, `source-changed` where the file has become shorter.
   */
  async readFrames(buffer: Buffer, transfer: number, end: number, maxBytes: number): Promise<Buffer> {
    const want = Math.min(end - this.#at, maxBytes, transferLimits.bufferBytes);
    const payloads: Buffer[] = [];
    let used = 0;
    for (let left = want; left > 0; ) {
      const bytes = Math.min(left, frameLimits.dataPayloadBytes);
      writeDataPrefix(buffer, used, transfer, this.#at + want - left, bytes);
      payloads.push(buffer.subarray(used + DATA_PREFIX_BYTES, used + DATA_PREFIX_BYTES + bytes));
      used += DATA_PREFIX_BYTES + bytes;
      left -= bytes;
    }
    await this.#fill(payloads);
    for (const payload of payloads) this.#hasher.update(payload);
    this.#at += want;
    return buffer.subarray(0, used);
  }

  /**
   * The hash of everything read, once the whole file has been.
   *
   * @throws TransferFailure `source-changed`, `read-failed`.
   */
  async finish(): Promise<string> {
    await this.#mustBeUnchanged();
    return this.#hasher.digest('hex');
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #fill(payloads: readonly Buffer[]): Promise<void> {
    let position = this.#at;
    let empty = [...payloads];
    try {
      while (empty.length > 0) {
        const { bytesRead } = await this.#handle.readv(empty, position);
        if (bytesRead === 0) throw changed();
        position += bytesRead;
        empty = dropFront(empty, bytesRead);
      }
    } catch (error) {
      throw readFailure(error);
    }
  }

  async #mustBeUnchanged(): Promise<void> {
    let found: Stats;
    try {
      found = await this.#handle.stat();
    } catch (error) {
      throw readFailure(error);
    }
    if (!found.isFile() || found.size !== this.#info.size || found.mtimeMs !== this.#info.modifiedMs) throw changed();
  }
}

function changed(): TransferFailure {
  return new TransferFailure('source-changed', 'The file changed on the sender’s disk since it was offered. Send it again.');
}

/** What remains to be filled after `bytes` have been. */
function dropFront(buffers: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = bytes;
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}
