/**
 * What comes on a stream, such as stdin, sent as one file of unknown size (PROTOCOL.md 7.5).
 *
 * Owns the stream and the last of its bytes: as many as a receiver may not have written yet, so that sending goes on after a
 * link broke. Earlier bytes are gone, and a receiver that needs them cannot be served. Nothing is read ahead of the link.
 */
import type { Readable } from 'node:stream';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { systemClock, type Clock } from '../../net/clock.js';
import { systemCode } from '../../protocol/errors.js';
import { DATA_PREFIX_BYTES, END_FRAME_BYTES, EntryStatus, writeDataPrefix, writeEndFrame } from '../../protocol/frames.js';
import { frameLimits, transferLimits } from '../../protocol/limits.js';
import type { Have } from '../../protocol/peer-messages.js';
import { readFailure, TransferFailure } from '../failure.js';
import { offeredName } from './folder-walk.js';
import type { Listing, Plan, Source, SourceBatch, SourceFacts } from './source.js';

/** Bytes kept behind those that were sent: what may be on its way, and the block that the receiver is writing. */
const KEPT_BYTES = transferLimits.windowBytes + transferLimits.bufferBytes;

/** A piece of the input, and the offset of its first byte. */
interface Piece {
  readonly from: number;
  readonly bytes: Buffer;
}

export class PipeSource implements Source {
  readonly facts: SourceFacts;
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<Uint8Array | string, unknown>;
  readonly #clock: Clock;
  /** The chunk that was asked for and has not come. */
  #asked: Promise<void> | undefined;
  #askedMs = 0;

  /** The input that is kept, in order. */
  #pieces: Piece[] = [];
  /** Over everything in front of what is kept, of which there are so many bytes. */
  #gone = new Blake3Hasher();
  #goneBytes = 0;
  /** Over everything that has come, of which there are so many bytes. */
  readonly #all = new Blake3Hasher();
  #allBytes = 0;
  #atEnd = false;

  #at = 0;
  #had = 0;
  #state: 'unplanned' | 'planned' | 'ended' | 'closed' = 'unplanned';
  /** Counts links: what a read waited for belongs to the next one. */
  #run = 0;
  /** Why nothing can be read any more. */
  #error: unknown;
  /** Wakes a read that waits for input. */
  #interrupt: () => void = () => undefined;

  /** @param name as the person gave it. */
  constructor(input: Readable, name: string, clock: Clock = systemClock) {
    this.facts = { kind: 'file', name: offeredName(name), size: null, files: 1, counted: true, modified: null };
    this.#input = input;
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Uint8Array | string, unknown>;
    this.#clock = clock;
  }

  /** As long as nothing is needed that has gone. */
  get repeatable(): boolean {
    return this.#error === undefined;
  }

  get busyMs(): number {
    return this.#asked === undefined ? 0 : this.#clock.now() - this.#askedMs;
  }

  survey(first: number): Promise<Listing> {
    return Promise.resolve({ first, entries: [], last: true });
  }

  list(): Promise<Listing> {
    return Promise.reject(new Error('list of a pipe'));
  }

  start(): Promise<void> {
    this.#run += 1;
    this.#interrupt();
    this.#had = 0;
    if (this.#state !== 'closed') this.#state = 'unplanned';
    return Promise.resolve();
  }

  plan({ have, skip }: Plan): void {
    if (this.#state !== 'unplanned') return;
    this.#state = skip.includes(0) ? 'ended' : 'planned';
    this.#at = this.#begin(have.find(({ entry }) => entry === 0)?.points ?? []);
    this.#had = this.#at;
  }

  async read(block: Buffer, transfer: number, maxBytes: number): Promise<SourceBatch> {
    const run = this.#run;
    if (this.#state === 'planned' && this.#at === this.#allBytes && !this.#atEnd) await this.#more();
    if (this.#run !== run || this.#state !== 'planned') return this.#batch(0, 0);
    if (this.#error !== undefined) throw this.#error as Error;
    const end = Math.min(maxBytes, block.length);
    let [at, payload] = [0, 0];
    for (let bytes = this.#frame(block, at, end, transfer); bytes > 0; bytes = this.#frame(block, at, end, transfer)) {
      at += DATA_PREFIX_BYTES + bytes;
      payload += bytes;
    }
    this.#forget();
    if (!this.#atEnd || this.#at < this.#allBytes || end - at < END_FRAME_BYTES) return this.#batch(at, payload);
    const blake3 = this.#all.digest('hex');
    writeEndFrame(block, at, { transfer, entry: 0, status: EntryStatus.whole, blake3 });
    this.#state = 'ended';
    return { ...this.#batch(at + END_FRAME_BYTES, payload), blake3 };
  }

  /** A read that waits comes back with nothing; the input is read no further. */
  close(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#state = 'closed';
    this.#pieces = [];
    this.#interrupt();
    // What was asked for may fail now, and with it the stream: nobody waits for that any more.
    this.#input.on('error', () => undefined);
    this.#input.destroy();
    return Promise.resolve();
  }

  #batch(bytes: number, payload: number): SourceBatch {
    const had = this.#had;
    this.#had = 0;
    return { bytes, payload, had, ended: this.#state === 'ended' ? 1 : 0, idle: this.#state !== 'planned' };
  }

  /** Waits for the next chunk, or until it is of no more use to this link. */
  async #more(): Promise<void> {
    this.#asked ??= this.#take();
    const interrupted = new Promise<void>((resolve) => (this.#interrupt = resolve));
    await Promise.race([this.#asked, interrupted]);
  }

  /** Takes a chunk into what is kept. Never rejects. */
  async #take(): Promise<void> {
    this.#askedMs = this.#clock.now();
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#atEnd = true;
      else this.#keep(typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    } catch (error) {
      // What the system did not raise is a bug: the next read throws it as it is.
      this.#error ??= systemCode(error) === undefined ? error : readFailure(error);
    } finally {
      this.#asked = undefined;
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pieces.push({ from: this.#allBytes, bytes });
    this.#all.update(bytes);
    this.#allBytes += bytes.length;
  }

  /** Puts one data frame into `block` at `from`, where there is room. @returns how many bytes of file are in it. */
  #frame(block: Buffer, from: number, end: number, transfer: number): number {
    const bytes = Math.min(this.#allBytes - this.#at, frameLimits.dataPayloadBytes, end - from - DATA_PREFIX_BYTES);
    if (bytes <= 0) return 0;
    writeDataPrefix(block, from, { transfer, entry: 0, offset: this.#at }, bytes);
    const payload = from + DATA_PREFIX_BYTES;
    for (let done = 0; done < bytes; ) {
      const offset = this.#at + done;
      const piece = this.#pieces.findLast((one) => one.from <= offset);
      if (piece === undefined) throw new Error('input that is to be sent was not kept');
      const skip = offset - piece.from;
      done += piece.bytes.copy(block, payload + done, skip, skip + bytes - done);
    }
    this.#at += bytes;
    return bytes;
  }

  /** Lets go of what no receiver can still need. */
  #forget(): void {
    for (let piece = this.#pieces[0]; piece !== undefined && piece.from + piece.bytes.length <= this.#at - KEPT_BYTES; piece = this.#pieces[0]) {
      this.#gone.update(piece.bytes);
      this.#goneBytes += piece.bytes.length;
      this.#pieces.shift();
    }
  }

  /** Where to go on: at the last point if that is right, or at the beginning while it is still there. */
  #begin(points: Have['points']): number {
    const there = points.filter(({ bytes }) => bytes > 0 && bytes >= this.#goneBytes && bytes <= this.#allBytes);
    const last = there.sort((a, b) => a.bytes - b.bytes).at(-1);
    if (last !== undefined && this.#proves(last)) return last.bytes;
    if (this.#goneBytes > 0) {
      this.#error ??= new TransferFailure('source-changed', 'The sender’s input cannot be read again from where the receiver needs it. Send it again.');
    }
    return 0;
  }

  /** Whether the input begins with what the receiver has; what is in front of that is then let go of. */
  #proves({ bytes: end, blake3 }: Have['points'][number]): boolean {
    // Where the beginning has gone there is no way back: a wrong point then ends the transfer.
    const hasher = this.#goneBytes === 0 ? new Blake3Hasher() : this.#gone;
    const behind: Piece[] = [];
    for (const piece of this.#pieces) {
      const inFront = Math.max(0, Math.min(piece.bytes.length, end - piece.from));
      if (inFront > 0) hasher.update(piece.bytes.subarray(0, inFront));
      if (inFront < piece.bytes.length) behind.push({ from: piece.from + inFront, bytes: piece.bytes.subarray(inFront) });
    }
    if (hasher.digest('hex') !== blake3) return false;
    this.#gone = hasher;
    this.#goneBytes = end;
    this.#pieces = behind;
    return true;
  }
}
