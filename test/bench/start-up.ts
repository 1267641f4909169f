/**
 * Start-up: how long `p2p-client --version` takes, and how long it is until the first prompt, against a Node that does
 * nothing. In turns, so that what else the machine does meets all of them alike.
 */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CLIENT, startServer } from '../helpers/json-client.js';
import { ProgramTerminal } from '../helpers/terminal.js';

const ROUNDS = 20;
const PASSWORD = 'correct horse battery staple';

/** Milliseconds. */
export interface StartUpTimes {
  readonly node: readonly number[];
  readonly version: readonly number[];
  /** To the first question, connected over loopback. */
  readonly question: readonly number[];
  /** To the prompt, logged in without a question. Argon2id is most of it, and is meant to be. */
  readonly prompt: readonly number[];
}

export async function measureStartUp(folder: string, rounds = ROUNDS): Promise<StartUpTimes> {
  await mkdir(folder);
  const server = await startServer(join(folder, 'server'));
  const args = ['127.0.0.1', String(server.port), '--home', join(folder, 'home')];
  const loggedIn = (...more: string[]) => untilSeen([...args, '--user', 'alice', ...more], PASSWORD, /server> /u);
  const times = { node: [] as number[], version: [] as number[], question: [] as number[], prompt: [] as number[] };
  try {
    await loggedIn('--new');
    for (let round = 0; round <= rounds; round += 1) {
      const node = timed(['-e', '0']);
      const version = timed([CLIENT, '--version']);
      const question = await untilSeen(args, '', /new or a returning user/u);
      const prompt = await loggedIn();
      // The first reads everything from the disk.
      if (round === 0) continue;
      times.node.push(node);
      times.version.push(version);
      times.question.push(question);
      times.prompt.push(prompt);
    }
    return times;
  } finally {
    await server.close();
  }
}

function timed(args: readonly string[]): number {
  const start = performance.now();
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (error !== undefined || status !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(status)}`, { cause: error });
  return performance.now() - start;
}

/** Started by its own first line, which says how Node shall run it. */
async function untilSeen(args: readonly string[], password: string, pattern: RegExp): Promise<number> {
  const start = performance.now();
  const terminal = new ProgramTerminal(CLIENT, args, { columns: 120, env: { P2P_PASSWORD: password } });
  try {
    await terminal.waitUntil(() => pattern.test(terminal.raw), String(pattern));
    return performance.now() - start;
  } finally {
    await terminal.close();
  }
}
