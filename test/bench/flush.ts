/** Getting what was received onto the disk, for the second of the two times that are measured. */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram } from '../helpers/processes.js';
import type { Load } from './load.js';

/** Resolves once all of `path` is on the disk; of a folder, all that its file system had in memory. */
export async function flush(path: string, kind: Load['kind']): Promise<void> {
  if (kind === 'folder') {
    await promisify(execFile)(findProgram('sync'), ['--file-system', path]);
    return;
  }
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
