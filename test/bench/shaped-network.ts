/**
 * Two network namespaces joined by a slow and lossy line: netem (tc-netem(8)) on both ends of a veth pair or, where the
 * kernel has none, shaped-line.c between two tun devices. Needs root.
 *
 * A namespace has no name and lives as long as the process that holds it, which ends with this program even when that is
 * killed: its stdin is a pipe from here. Nothing of the machine's own network is touched.
 */
import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NotHere, Program, findProgram } from '../helpers/processes.js';
import type { Host } from '../helpers/processes.js';
import type { Network } from './network.js';

export interface LinkShape {
  readonly megabitsPerSecond: number;
  /** Half of it in each direction. */
  readonly roundTripMs: number;
  /** In each direction. */
  readonly lossPercent: number;
}

export interface ShapedNetwork extends Network {
  /** What shapes it: `netem`, or what takes its place. */
  readonly by: string;
  /** Idempotent. */
  close(): Promise<void>;
}

const DEVICE = 'line';
const PACKET_BYTES = 1500;
const START_MS = 5000;
/** Seen from dist/test/bench/: the compiler of TypeScript leaves it where it is. */
const SOURCE = fileURLToPath(new URL('../../../test/bench/shaped-line.c', import.meta.url));
const run = promisify(execFile);

/** @param folder for a program that may have to be compiled. @throws NotHere where this system does not allow it. */
export async function shapedNetwork(shape: LinkShape, folder: string): Promise<ShapedNetwork> {
  if (process.getuid?.() !== 0) throw new NotHere('network namespaces need root');
  const [unshare, nsenter, ip, cat] = [findProgram('unshare'), findProgram('nsenter'), findProgram('ip'), findProgram('cat')];
  const running: Program[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.map((program) => program.stop()));
  };
  const start = (program: string, args: readonly string[]): Program => {
    const started = new Program(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    running.push(started);
    return started;
  };
  try {
    const ends = [start(unshare, ['--net', cat]), start(unshare, ['--net', cat])] as const;
    await Promise.all(ends.map(untilApart));
    const hosts = ends.map(({ pid }, index): Host => ({
      address: `10.77.0.${index + 1}`,
      command: (program, args) => [nsenter, ['--target', String(pid), '--net', program, ...args]],
    })) as [Host, Host];
    const inside = (host: Host, program: string, args: string): Promise<unknown> => run(...(host.command(program, args.split(' ')) as [string, string[]]));
    const byKernel = await kernelHasNetem(unshare);
    if (byKernel) {
      await run(ip, ['link', 'add', 'name', DEVICE, 'netns', String(ends[0].pid), 'type', 'veth', 'peer', 'name', DEVICE, 'netns', String(ends[1].pid)]);
    } else {
      const line = start(await compile(folder), [String(ends[0].pid), String(ends[1].pid), DEVICE, ...lineArguments(shape)]);
      await line.untilSaid(/ready/u);
    }
    for (const [index, host] of hosts.entries()) {
      await inside(host, ip, 'link set dev lo up');
      await inside(host, ip, `address add ${host.address} peer ${hosts[1 - index]!.address} dev ${DEVICE}`);
      if (byKernel) {
        // Otherwise netem would lose and delay bundles of up to 64 KiB in place of packets.
        await inside(host, ip, `link set dev ${DEVICE} gso_max_segs 1`);
        await inside(host, findProgram('tc'), `qdisc add dev ${DEVICE} root netem ${netemArguments(shape)}`);
      }
      await inside(host, ip, `link set dev ${DEVICE} mtu ${PACKET_BYTES} up`);
    }
    return { sender: hosts[0], receiver: hosts[1], by: byKernel ? 'netem' : 'a program of this benchmark, as this kernel has no netem', close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function kernelHasNetem(unshare: string): Promise<boolean> {
  try {
    await run(unshare, ['--net', findProgram('tc'), 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
    return true;
  } catch {
    return false;
  }
}

/** @returns The path of the program. */
async function compile(folder: string): Promise<string> {
  const program = join(folder, 'shaped-line');
  await run(findProgram('cc', 'gcc', 'clang'), ['-O2', '-o', program, SOURCE]);
  return program;
}

function netemArguments(shape: LinkShape): string {
  const { megabitsPerSecond, roundTripMs, lossPercent } = shape;
  // Netem's limit counts the packets on their way too.
  const packets = Math.ceil((1.5 * bytesPerRoundTrip(shape)) / PACKET_BYTES);
  return `delay ${roundTripMs / 2}ms loss ${lossPercent}% rate ${megabitsPerSecond}mbit limit ${packets}`;
}

function lineArguments(shape: LinkShape): string[] {
  const { megabitsPerSecond, roundTripMs, lossPercent } = shape;
  return [(megabitsPerSecond * 1e6) / 8, (roundTripMs * 1000) / 2, lossPercent * 10_000, bytesPerRoundTrip(shape)].map((number) => String(Math.round(number)));
}

/** What one round trip carries; as the queue in front of the line it is the classic size of a router's buffer. */
function bytesPerRoundTrip({ megabitsPerSecond, roundTripMs }: LinkShape): number {
  return ((megabitsPerSecond * 1e6) / 8) * (roundTripMs / 1000);
}

/** Resolves once the process has a network of its own. */
async function untilApart(holder: Program): Promise<void> {
  const ours = await readlink('/proc/self/ns/net');
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && holder.running) {
    if ((await readlink(`/proc/${holder.pid}/ns/net`)) !== ours) return;
    await pause(5);
  }
  throw new NotHere(`no network namespace: ${holder.said}`);
}
