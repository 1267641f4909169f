/**
 * One p2p-server a data directory: a lock that ends with the process, however that ends.
 *
 * A lock of the kernel on an open file (OFD lock on Linux, flock on macOS, LockFileEx on Windows): nothing is left behind by
 * kill -9, and nothing needs to be guessed from process numbers or ages of files.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { P2pError } from '../protocol/errors.js';

const LOCK_FILE = 'server.lock';

export interface DataLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/** @throws P2pError `bad-data-directory` when another process has it; a system error when the file cannot be opened. */
export async function lockDataDirectory(directory: string): Promise<DataLock> {
  const file = await open(join(directory, LOCK_FILE), 'a+', 0o600);
  if (!tryLock(file.fd)) {
    await file.close();
    throw new P2pError('bad-data-directory', `Another p2p-server uses ${directory}. Stop it, or give this one its own --data.`);
  }
  return { release: () => file.close() };
}
