/**
 * The ways in which the same bytes can arrive, for every test that reads frames: whole, byte by byte, with trailing
 * data, cut anywhere. Whatever the cuts, the frames must be the same.
 */
import { FrameDecoder, jsonFrame } from '../../src/protocol/frames.js';
import type { EntryStatus, FrameDecoderOptions, FrameEvent } from '../../src/protocol/frames.js';
import { frameLimits } from '../../src/protocol/limits.js';

/** A frame with its data pieces put together again; `bytes` and `body` as hexadecimal, so that a difference can be read. */
export type WholeFrame =
  | { readonly kind: 'json'; readonly body: string }
  | { readonly kind: 'data'; readonly transfer: number; readonly entry: number; readonly offset: number; readonly bytes: string }
  | { readonly kind: 'end'; readonly transfer: number; readonly entry: number; readonly status: EntryStatus; readonly blake3: string };

type Data = Extract<WholeFrame, { kind: 'data' }>;

export const beforeLogin: FrameDecoderOptions = { maxJsonBytes: frameLimits.beforeLoginBytes, allowData: false };
export const openLink: FrameDecoderOptions = { maxJsonBytes: frameLimits.controlBytes, allowData: true };

/** Reads `chunks` one after the other; neighbouring pieces of one data frame become one. */
export function readFrames(chunks: Iterable<Uint8Array>, options: FrameDecoderOptions): WholeFrame[] {
  const decoder = new FrameDecoder(options);
  const frames: WholeFrame[] = [];
  for (const chunk of chunks) {
    // A socket may reuse its buffer: whatever the decoder still needs of it must have been copied.
    const reused = Buffer.from(chunk);
    decoder.push(reused);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) frames.push(kept(event));
    reused.fill(0xee);
  }
  return joined(frames);
}

function kept(event: FrameEvent): WholeFrame {
  switch (event.kind) {
    case 'json':
      return { kind: 'json', body: hex(event.body) };
    case 'data': {
      const { transfer, entry, offset, bytes } = event;
      return { kind: 'data', transfer, entry, offset, bytes: hex(bytes) };
    }
    case 'end':
      return event;
  }
}

/** The same frames, with those data frames made one of which each continues the one before. */
export function joined(frames: readonly WholeFrame[]): WholeFrame[] {
  const result: WholeFrame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    if (frame.kind === 'data' && last?.kind === 'data' && continues(last, frame)) {
      result[result.length - 1] = { ...last, bytes: last.bytes + frame.bytes };
    } else result.push(frame);
  }
  return result;
}

function continues(last: Data, next: Data): boolean {
  return last.transfer === next.transfer && last.entry === next.entry && last.offset + last.bytes.length / 2 === next.offset;
}

/** `bytes` one at a time. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** `bytes` cut at the given places; places beyond the end are taken modulo its length. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

/** A JSON frame around text that need not be JSON. */
export function textFrame(text: string): Uint8Array {
  return jsonFrame(Buffer.from(text, 'utf8'));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
