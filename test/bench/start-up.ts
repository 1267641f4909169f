/** Start-up: how long `p2p-client --version` takes, against a Node that does nothing. */
import { spawnSync } from 'node:child_process';
import { CLIENT } from '../helpers/json-client.js';

const ROUNDS = 20;

export interface StartUpTimes {
  /** Milliseconds. */
  readonly client: readonly number[];
  readonly node: readonly number[];
}

export function measureStartUp(): StartUpTimes {
  const client: number[] = [];
  const node: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const times = [timed(['-e', '0']), timed([CLIENT, '--version'])] as const;
    // The first reads everything from the disk.
    if (round === 0) continue;
    node.push(times[0]);
    client.push(times[1]);
  }
  return { client, node };
}

function timed(args: readonly string[]): number {
  const start = performance.now();
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (error !== undefined || status !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(status)}`, { cause: error });
  return performance.now() - start;
}
