/**
 * Frames: `u32 length ‖ u8 kind ‖ body` (PROTOCOL.md 2). Bytes in, frames out; no socket.
 *
 * A length is checked against the limit of the moment before anything is kept for it. File data is handed on in the
 * pieces in which it arrives, so that no data frame is ever assembled in memory.
 */
import { RemoteViolation } from './errors.js';
import { frameLimits } from './limits.js';

export const FrameKind = { json: 0, data: 1, end: 2 } as const;

/** How an entry ended: all of it was sent, or the sender could not read it. */
export const EntryStatus = { whole: 0, unreadable: 1 } as const;
export type EntryStatus = (typeof EntryStatus)[keyof typeof EntryStatus];

const LENGTH_BYTES = 4;
const KIND_BYTES = 1;
const EMPTY = new Uint8Array(0);
const HASH_BYTES = 32;
/** Body of an end frame: transfer id (u32), entry (u32), status (u8), BLAKE3 of the whole file. */
const END_BODY_BYTES = 4 + 4 + 1 + HASH_BYTES;
/** A whole end frame. */
export const END_FRAME_BYTES = LENGTH_BYTES + KIND_BYTES + END_BODY_BYTES;
/** Bytes in front of the file bytes of a data frame: length, kind, transfer id, entry, offset. */
export const DATA_PREFIX_BYTES = LENGTH_BYTES + KIND_BYTES + frameLimits.dataHeaderBytes;

/**
 * One decoded frame, or one piece of a data frame. `body` and `bytes` may be views of the input: copy them or use them at
 * once. `offset` is that of the piece in its file; `first` marks the piece with which a frame begins.
 */
export type FrameEvent =
  | { readonly kind: 'json'; readonly body: Uint8Array }
  | { readonly kind: 'data'; readonly transfer: number; readonly entry: number; readonly offset: number; readonly bytes: Uint8Array; readonly first: boolean }
  | { readonly kind: 'end'; readonly transfer: number; readonly entry: number; readonly status: EntryStatus; readonly blake3: string };

export interface FrameDecoderOptions {
  /** Largest JSON frame, bytes of `kind ‖ body`. */
  readonly maxJsonBytes: number;
  /** Whether data and end frames are legal now. */
  readonly allowData: boolean;
}

type State =
  | { readonly at: 'head' }
  | { readonly at: 'json'; readonly bytes: number }
  | { readonly at: 'data-header'; readonly bytes: number }
  | { readonly at: 'data'; readonly transfer: number; readonly entry: number; offset: number; left: number; first: boolean }
  | { readonly at: 'end' };

/**
 * Incremental decoder. Feed it with {@link push}, take events with {@link next} until it returns undefined; between two
 * calls of `next` the options may change, which is how `go` opens the link for data in the middle of a chunk.
 *
 * @throws RemoteViolation `bad-frame` from `next`; the decoder is unusable after that.
 */
export class FrameDecoder {
  #options: FrameDecoderOptions;
  #state: State = { at: 'head' };
  /** The first `#pendingBytes` bytes of an unfinished head or JSON body; never longer than the limit allows. */
  #pending: Uint8Array = EMPTY;
  #pendingBytes = 0;
  #chunk: Uint8Array = EMPTY;
  #at = 0;

  constructor(options: FrameDecoderOptions) {
    this.#options = options;
  }

  set options(options: FrameDecoderOptions) {
    this.#options = options;
  }

  /** True when no frame is half read: the only moment at which an end of stream is clean. */
  get atBoundary(): boolean {
    return this.#state.at === 'head' && this.#pendingBytes === 0 && this.#at === this.#chunk.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) throw new Error('FrameDecoder.push before the last chunk was used up');
    this.#chunk = chunk;
    this.#at = 0;
  }

  next(): FrameEvent | undefined {
    const event = this.#read();
    if (event === undefined) this.#release();
    return event;
  }

  #read(): FrameEvent | undefined {
    for (;;) {
      const state = this.#state;
      switch (state.at) {
        case 'head': {
          const head = this.#take(LENGTH_BYTES + KIND_BYTES);
          if (head === undefined) return undefined;
          this.#state = this.#readHead(head);
          break;
        }
        case 'json': {
          const body = this.#take(state.bytes);
          if (body === undefined) return undefined;
          this.#state = { at: 'head' };
          return { kind: 'json', body };
        }
        case 'data-header': {
          const header = this.#take(frameLimits.dataHeaderBytes);
          if (header === undefined) return undefined;
          const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
          const offset = view.getBigUint64(8);
          if (offset > BigInt(Number.MAX_SAFE_INTEGER - state.bytes)) throw new RemoteViolation('bad-frame', 'The offset of a data frame is too large.');
          this.#state = { at: 'data', transfer: view.getUint32(0), entry: view.getUint32(4), offset: Number(offset), left: state.bytes, first: true };
          break;
        }
        case 'data': {
          const bytes = this.#chunk.subarray(this.#at, this.#at + state.left);
          if (bytes.length === 0) return undefined;
          this.#at += bytes.length;
          const { transfer, entry, offset, first } = state;
          const event: FrameEvent = { kind: 'data', transfer, entry, offset, bytes, first };
          state.offset += bytes.length;
          state.left -= bytes.length;
          state.first = false;
          if (state.left === 0) this.#state = { at: 'head' };
          return event;
        }
        case 'end': {
          const body = this.#take(END_BODY_BYTES);
          if (body === undefined) return undefined;
          this.#state = { at: 'head' };
          return readEnd(body);
        }
      }
    }
  }

  #readHead(head: Uint8Array): State {
    const length = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0);
    const kind = head[LENGTH_BYTES];
    if (kind === FrameKind.json) {
      if (length < KIND_BYTES + 1 || length > this.#options.maxJsonBytes) {
        throw new RemoteViolation('bad-frame', `A frame of ${length} bytes is not allowed here.`);
      }
      return { at: 'json', bytes: length - KIND_BYTES };
    }
    if (kind === FrameKind.data && this.#options.allowData) {
      const payload = length - KIND_BYTES - frameLimits.dataHeaderBytes;
      if (payload < 1 || payload > frameLimits.dataPayloadBytes) {
        throw new RemoteViolation('bad-frame', `A data frame of ${length} bytes is not allowed.`);
      }
      return { at: 'data-header', bytes: payload };
    }
    if (kind === FrameKind.end && this.#options.allowData) {
      if (length !== KIND_BYTES + END_BODY_BYTES) throw new RemoteViolation('bad-frame', `An end frame of ${length} bytes is not allowed.`);
      return { at: 'end' };
    }
    throw new RemoteViolation('bad-frame', `A frame of kind ${String(kind)} is not allowed here.`);
  }

  /** Exactly `count` bytes, or undefined while they have not all come; the part that has is kept. */
  #take(count: number): Uint8Array | undefined {
    const available = this.#chunk.subarray(this.#at, this.#at + count - this.#pendingBytes);
    this.#at += available.length;
    if (this.#pendingBytes === 0 && available.length === count) return available;
    this.#keep(available, count);
    if (this.#pendingBytes < count) return undefined;
    const whole = this.#pending;
    this.#pending = EMPTY;
    this.#pendingBytes = 0;
    return whole;
  }

  /**
   * Copies, since the chunk belongs to the socket and may be reused. One buffer that doubles up to `count` bytes: a list of
   * the pieces would let a sender of single bytes make each of them cost a hundred, and `count` at once would reserve what was
   * only claimed.
   */
  #keep(bytes: Uint8Array, count: number): void {
    const total = this.#pendingBytes + bytes.length;
    if (total > this.#pending.length) {
      const grown = new Uint8Array(Math.min(count, Math.max(total, 2 * this.#pending.length)));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes = total;
  }

  /** Lets go of the used-up chunk: a view of a few bytes keeps the whole read buffer of an idle socket alive. */
  #release(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
  }
}

function readEnd(body: Uint8Array): FrameEvent {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const status = view.getUint8(8);
  if (status !== EntryStatus.whole && status !== EntryStatus.unreadable) throw new RemoteViolation('bad-frame', 'An end frame has an unknown status.');
  const blake3 = Buffer.from(body.buffer, body.byteOffset + 9, HASH_BYTES).toString('hex');
  return { kind: 'end', transfer: view.getUint32(0), entry: view.getUint32(4), status, blake3 };
}

/** A JSON frame around an already encoded body. */
export function jsonFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + KIND_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, KIND_BYTES + body.length);
  frame[LENGTH_BYTES] = FrameKind.json;
  frame.set(body, LENGTH_BYTES + KIND_BYTES);
  return frame;
}

/**
 * Writes the prefix of a data frame into the {@link DATA_PREFIX_BYTES} bytes of `target` at `at`; the file bytes
 * (`payloadBytes`, 1 to 256 KiB) follow right behind it, so that a frame read from disk in place needs no copy.
 */
export function writeDataPrefix(target: Buffer, at: number, { transfer, entry, offset }: DataPlace, payloadBytes: number): void {
  target.writeUInt32BE(KIND_BYTES + frameLimits.dataHeaderBytes + payloadBytes, at);
  target.writeUInt8(FrameKind.data, at + LENGTH_BYTES);
  target.writeUInt32BE(transfer, at + LENGTH_BYTES + KIND_BYTES);
  target.writeUInt32BE(entry, at + LENGTH_BYTES + KIND_BYTES + 4);
  target.writeBigUInt64BE(BigInt(offset), at + LENGTH_BYTES + KIND_BYTES + 8);
}

/** Where the bytes of a data frame belong. */
export interface DataPlace {
  readonly transfer: number;
  readonly entry: number;
  /** In the file, of the first byte. */
  readonly offset: number;
}

/** Writes a whole end frame into the {@link END_FRAME_BYTES} bytes of `target` at `at`. `blake3`: 64 hexadecimal digits. */
export function writeEndFrame(target: Buffer, at: number, { transfer, entry, status, blake3 }: EntryEnd): void {
  target.writeUInt32BE(KIND_BYTES + END_BODY_BYTES, at);
  target.writeUInt8(FrameKind.end, at + LENGTH_BYTES);
  const body = at + LENGTH_BYTES + KIND_BYTES;
  target.writeUInt32BE(transfer, body);
  target.writeUInt32BE(entry, body + 4);
  target.writeUInt8(status, body + 8);
  target.write(blake3, body + 9, HASH_BYTES, 'hex');
}

export interface EntryEnd {
  readonly transfer: number;
  readonly entry: number;
  readonly status: EntryStatus;
  readonly blake3: string;
}
