/**
 * Lines of a script or a conversation on stdin: bytes in, lines out, each of limited length, read only as fast as they are used.
 */
import type { Readable } from 'node:stream';
import { terminalLimits } from '../protocol/limits.js';

/** A line without its end, or the fact that one was too long; its content is then dropped. */
export type InputLine = { readonly line: string } | { readonly tooLong: true };

const TOO_LONG: InputLine = { tooLong: true };

/**
 * Reads UTF-8 lines ended by `\n` or `\r\n`; the last one needs no end. Stops, and destroys the stream, when `signal` aborts.
 *
 * @param maxBytes Longest line, bytes without its end.
 */
export async function* inputLines(stream: Readable, signal: AbortSignal, maxBytes: number = terminalLimits.lineBytes): AsyncGenerator<InputLine> {
  const stop = () => void stream.destroy();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let pieces: Buffer[] = [];
  let bytes = 0;
  const take = (): InputLine => {
    const line = bytes > maxBytes ? TOO_LONG : { line: Buffer.concat(pieces).toString('utf8').replace(/\r$/u, '') };
    pieces = [];
    bytes = 0;
    return line;
  };
  const keep = (piece: Buffer) => {
    bytes += piece.length;
    // Of a line that is too long only its length is kept.
    if (bytes <= maxBytes) pieces.push(piece);
    else pieces = [];
  };
  try {
    for await (const chunk of stream) {
      let rest = toBuffer(chunk);
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        keep(rest.subarray(0, end));
        yield take();
        rest = rest.subarray(end + 1);
      }
      keep(rest);
    }
    if (bytes > 0) yield take();
  } catch (error) {
    // Destroying the stream ends the loop with an error of its own.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function toBuffer(chunk: unknown): Buffer {
  return chunk instanceof Uint8Array ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.from(String(chunk), 'utf8');
}
