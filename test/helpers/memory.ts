/** What a running program has needed, as the kernel counts it. */
import { readFile, writeFile } from 'node:fs/promises';

/** The most memory that the process ever had in use: VmHWM of proc(5), bytes. */
export async function peakResidentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(?<kib>\d+) kB$/mu.exec(status)?.groups?.['kib']) * 1024;
}

/** Begins to look for the most anew: what a login takes for its password has nothing to do with what follows. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
