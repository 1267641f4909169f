/** The file that is sent: bytes that no program can compress, the same in every run, and the check of what was received. */
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Writes `bytes` of an AES-CTR key stream to `path`; afterwards it is in the page cache. @returns Its SHA-256. */
export async function writeSampleFile(path: string, bytes: number): Promise<string> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 0x70), Buffer.alloc(16));
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    const zeros = Buffer.alloc(CHUNK_BYTES);
    for (let written = 0; written < bytes; written += CHUNK_BYTES) {
      const chunk = stream.update(zeros.subarray(0, Math.min(CHUNK_BYTES, bytes - written)));
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** @throws Error when the file at `path` is not the one that was sent. */
export async function checkReceived(path: string, bytes: number, sha256: string): Promise<void> {
  const { size } = await stat(path);
  if (size !== bytes) throw new Error(`received ${size} bytes of ${bytes}`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== sha256) throw new Error('received other bytes than were sent');
}

/** Resolves once all of the file is on the disk. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
