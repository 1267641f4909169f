/**
 * What the processes of one side of a transfer use, from /proc.
 *
 * CPU: user and system time of the given processes, of all that they started and of those of them that have ended and
 * were waited for; exact to one tick of the kernel (10 ms). Memory: the sum of the resident high-water marks (VmHWM) of the
 * processes that live at the same time; the greatest such sum in samples every 20 ms. Pages that two of them share count twice.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Ticks a second in /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICKS = 100;
const SAMPLE_MS = 20;
/** How long children of a daemon may take to end after the client has. */
const SETTLE_MS = 3000;

export interface Usage {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

interface Root {
  readonly pid: number;
  /** False for the shell around a command, of which only the children count. */
  readonly counts: boolean;
  readonly cpuBefore: number;
  readonly childrenBefore: number;
}

/** Reads a file of /proc; undefined when the process has ended. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      (readProc(pid, `task/${task}/children`) ?? '').split(' ').filter((one) => one !== '').map(Number),
    );
  } catch {
    return [];
  }
}

/** All that `pid` has started, itself not. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Own time and that of ended children, seconds. */
function cpuSeconds(pid: number): number {
  // The name in the second field may hold spaces and brackets: count from the last bracket. Fields 14 to 17 are utime to cutime.
  const fields = (readProc(pid, 'stat') ?? '').replace(/^.*\) /su, '').split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

function highWaterBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/mu.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0) * 1024;
}

/** Sets the high-water mark of a running process back to what it uses now (proc(5), clear_refs). */
function resetHighWater(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not permitted for a process of another user: its mark then covers its whole life.
  }
}

export class Meter {
  readonly #roots: Root[] = [];
  readonly #sampler: NodeJS.Timeout;
  #peakBytes = 0;

  constructor() {
    this.#sampler = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** A process that runs before and after: what it used until now does not count. */
  watch(pid: number): void {
    const before = descendantsOf(pid);
    for (const one of [pid, ...before]) resetHighWater(one);
    this.#roots.push({ pid, counts: true, cpuBefore: treeCpu(pid), childrenBefore: before.length });
  }

  /** The shell around a command that begins now: all that the command uses counts. */
  watchCommand(pid: number): void {
    this.#roots.push({ pid, counts: false, cpuBefore: 0, childrenBefore: 0 });
  }

  /** Waits until what the transfer started has ended, then reads the account. Call it before a shell is let go. */
  async read(): Promise<Usage> {
    this.#sample();
    clearInterval(this.#sampler);
    const deadline = performance.now() + SETTLE_MS;
    while (this.#roots.some((root) => descendantsOf(root.pid).length > root.childrenBefore) && performance.now() < deadline) await pause(10);
    const cpu = this.#roots.reduce((sum, root) => sum + treeCpu(root.pid) - root.cpuBefore, 0);
    return { cpuSeconds: cpu, peakBytes: this.#peakBytes };
  }

  /** Stops sampling, for a transfer that failed. */
  stop(): void {
    clearInterval(this.#sampler);
  }

  #sample(): void {
    const processes = this.#roots.flatMap((root) => [...(root.counts ? [root.pid] : []), ...descendantsOf(root.pid)]);
    this.#peakBytes = Math.max(this.#peakBytes, processes.reduce((sum, pid) => sum + highWaterBytes(pid), 0));
  }
}

function treeCpu(pid: number): number {
  return [pid, ...descendantsOf(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0);
}
