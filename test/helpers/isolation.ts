/**
 * A part of this machine with a network and mounts of its own, for tests that need a firewall, a full disk or a broken line.
 *
 * It has no name and lives as long as the process that holds it, whose stdin is a pipe from here: whatever happens to the test,
 * nothing of it is left behind, and the machine's own network and mounts are never touched.
 */
import { execFile, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { NotHere, Program, findProgram, type Host } from './processes.js';

/** Ordinary users get it too where the system lets them be root of a namespace. */
const asRoot = process.getuid?.() === 0;
const UNSHARE = [...(asRoot ? [] : ['--user', '--map-root-user']), '--net', '--mount'];
const ENTER = [...(asRoot ? [] : ['--user', '--preserve-credentials']), '--net', '--mount'];

export interface Isolation extends Host {
  /** Where its file system is seen from outside: put in front of an absolute path. */
  readonly root: string;
  /** Runs a shell script there; resolves with what it printed. @throws Error when it fails. */
  run(script: string): Promise<string>;
}

/** What is missing for {@link isolate}, to be given as `skip`; false when all is there. `programs`: that scripts will use. */
export function whyNotIsolated(...programs: string[]): string | false {
  try {
    for (const program of ['unshare', 'nsenter', 'ip', ...programs]) findProgram(program);
  } catch (error) {
    if (error instanceof NotHere) return error.message;
    throw error;
  }
  const trial = spawnSync(findProgram('unshare'), [...UNSHARE, 'sh', '-c', 'ip link set lo up && mount -t tmpfs tmpfs /mnt'], { encoding: 'utf8', timeout: 10_000, env: systemPath() });
  return trial.status === 0 ? false : `namespaces are not allowed here: ${trial.stderr.trim()}`;
}

/** Ends after the test. `script` prepares it; the loopback interface is up already. */
export async function isolate(t: TestContext, script = ''): Promise<Isolation> {
  const holder = new Program(findProgram('unshare'), [...UNSHARE, 'sh', '-e', '-c', `ip link set lo up\n${script}\necho ready\nexec cat`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: systemPath(),
  });
  t.after(() => holder.stop());
  await holder.untilSaid(/ready/u);
  const command: Host['command'] = (program, args) => [findProgram('nsenter'), ['--target', String(holder.pid), ...ENTER, '--', program, ...args]];
  return {
    address: '127.0.0.1',
    command,
    root: `/proc/${holder.pid}/root`,
    run: async (lines) => (await promisify(execFile)(...command('/bin/sh', ['-e', '-c', lines]), { env: systemPath() })).stdout,
  };
}

/** Debian leaves the folders of ip and nft out of the path of ordinary users. */
function systemPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}
