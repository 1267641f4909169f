/**
 * Two network namespaces joined by a veth pair, each end of which is shaped by netem (tc-netem(8)): a slow or lossy line
 * between two machines. Needs root.
 *
 * A namespace has no name and lives as long as the process that holds it, which ends with this program whatever happens:
 * its stdin is a pipe from here. Nothing of the machine's own network is touched.
 */
import { execFile } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
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
  /** Idempotent. */
  close(): Promise<void>;
}

const PACKET_BYTES = 1500;
const START_MS = 5000;
const run = promisify(execFile);

/** @throws NotHere where this system does not allow it. */
export async function shapedNetwork(shape: LinkShape): Promise<ShapedNetwork> {
  if (process.getuid?.() !== 0) throw new NotHere('network namespaces need root');
  const [unshare, nsenter, ip, tc, cat] = [findProgram('unshare'), findProgram('nsenter'), findProgram('ip'), findProgram('tc'), findProgram('cat')];
  const holders: Program[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(holders.map((holder) => holder.stop()));
  };
  try {
    for (let end = 0; end < 2; end += 1) holders.push(new Program(unshare, ['--net', cat], { stdio: ['pipe', 'pipe', 'pipe'] }));
    await Promise.all(holders.map(untilApart));
    const [sender, receiver] = holders.map(({ pid }, index): Host => ({
      address: `10.77.0.${index + 1}`,
      command: (program, args) => [nsenter, ['--target', String(pid), '--net', program, ...args]],
    })) as [Host, Host];
    await run(ip, ['link', 'add', 'name', 'line', 'netns', String(holders[0]!.pid), 'type', 'veth', 'peer', 'name', 'line', 'netns', String(holders[1]!.pid)]);
    for (const end of [sender, receiver]) {
      const inside = (program: string, args: string): Promise<unknown> => run(...(end.command(program, args.split(' ')) as [string, string[]]));
      await inside(ip, 'link set dev lo up');
      await inside(ip, `address add ${end.address}/24 dev line`);
      // Otherwise netem would lose and delay bundles of up to 64 KiB in place of packets.
      await inside(ip, 'link set dev line gso_max_segs 1');
      await inside(ip, 'link set dev line up');
      await inside(tc, `qdisc add dev line root netem delay ${shape.roundTripMs / 2}ms loss ${shape.lossPercent}% rate ${shape.megabitsPerSecond}mbit limit ${queuePackets(shape)}`);
    }
    return { sender, receiver, close };
  } catch (error) {
    await close();
    if (error instanceof Error && /netem|qdisc|not permitted|not supported/iu.test(error.message)) throw new NotHere(`netem does not work here: ${error.message.split('\n')[1] ?? error.message}`, { cause: error });
    throw error;
  }
}

/** What is under way in one direction, and a buffer of one round trip in front of the bottleneck: the classic size of a router's. */
function queuePackets({ megabitsPerSecond, roundTripMs }: LinkShape): number {
  const bytesPerRoundTrip = ((megabitsPerSecond * 1e6) / 8) * (roundTripMs / 1000);
  return Math.ceil((1.5 * bytesPerRoundTrip) / PACKET_BYTES);
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
