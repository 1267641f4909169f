/**
 * Starting and ending the programs that are measured. Each runs in a process group of its own, so that nothing it
 * started outlives the benchmark.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** A rival cannot be measured here; the message says why. */
export class NotHere extends Error {
  override readonly name = 'NotHere';
}

/** The path of the first of `names` that is installed; system programs count, whatever PATH says. @throws NotHere */
export function findProgram(...names: string[]): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  for (const name of names) {
    for (const folder of folders) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  throw new NotHere(`${names.join(' or ')} is not installed`);
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once some process listens at `port` in the network of process `pid`, without connecting to it: nc takes only one connection. */
export async function untilListening(port: number, { pid = process.pid, timeoutMs = 10_000 }: { readonly pid?: number; readonly timeoutMs?: number } = {}): Promise<void> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const LISTEN = '0A';
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const sockets = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1));
    if (sockets.some((socket) => socket.trim().split(/\s+/u)[1]?.endsWith(`:${wanted}`) === true && socket.trim().split(/\s+/u)[3] === LISTEN)) return;
    await pause(5);
  }
  throw new Error(`nothing listens at port ${port} after ${timeoutMs} ms`);
}

/** Where a program runs: this machine, or a network of its own within it. */
export interface Host {
  readonly address: string;
  /** The command line that runs `program` there; its process becomes `program` itself. */
  command(program: string, args: readonly string[]): readonly [program: string, args: readonly string[]];
}

export const thisHost: Host = { address: '127.0.0.1', command: (program, args) => [program, args] };

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio?: StdioOptions;
}

/** A program that runs until it is stopped. What it says is kept for the error message. */
export class Program {
  readonly name: string;
  readonly child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';

  constructor(command: string, args: readonly string[], options: StartOptions = {}) {
    this.name = command.split('/').at(-1) ?? command;
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-4000)));
    }
    this.#ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.#said += error.message;
        resolve();
      });
      this.child.once('exit', () => resolve());
    });
  }

  /** @throws Error when the program could not be started. */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be started: ${this.#said}`);
    return this.child.pid;
  }

  /** The last it said on stdout and stderr. */
  get said(): string {
    return this.#said.trim();
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it has ended; with null where a signal ended it. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.child.exitCode;
  }

  /** Resolves with the match once stdout or stderr has said it. @throws Error when the program ends before. */
  untilSaid(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const streams = [this.child.stdout, this.child.stderr];
      const settle = (action: () => void) => {
        clearTimeout(timer);
        for (const stream of streams) stream?.off('data', look);
        action();
      };
      const fail = (why: string) => settle(() => reject(new Error(`${this.name} ${why}: ${this.said}`)));
      const look = () => {
        const match = pattern.exec(this.#said);
        if (match !== null) settle(() => resolve(match));
      };
      const timer = setTimeout(() => fail(`did not say ${String(pattern)}`), timeoutMs);
      for (const stream of streams) stream?.on('data', look);
      void this.#ended.then(() => fail('ended'));
      look();
    });
  }

  /** SIGTERM to the whole group, SIGKILL after two seconds; idempotent. */
  async stop(): Promise<void> {
    if (this.child.pid === undefined) return;
    const signal = (name: NodeJS.Signals): void => {
      try {
        process.kill(-this.pid, name);
      } catch {
        // The group is gone, or this system has none.
        this.child.kill(name);
      }
    };
    signal('SIGTERM');
    await Promise.race([this.#ended, pause(2000, undefined, { ref: false })]);
    signal('SIGKILL');
    await this.#ended;
  }
}

/**
 * A command that ends by itself, with exact accounts: a shell runs it, tells when it has ended, and stays until
 * {@link release}, so that what the command used can be read from the shell's account of its children.
 */
export class Command {
  readonly #shell: Program;
  readonly #control: Socket;
  #code = '';

  /** `input` is written to its stdin; without it stdin is empty. */
  constructor(command: string, args: readonly string[], options: Omit<StartOptions, 'stdio'> & { readonly input?: string } = {}) {
    const script = '"$@" 3<&-; echo $? >&3; read -r release <&3';
    const { input, ...rest } = options;
    this.#shell = new Program('/bin/sh', ['-c', script, 'sh', command, ...args], { ...rest, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'] });
    this.#control = this.#shell.child.stdio[3] as unknown as Socket;
    this.#control.on('error', () => undefined);
    if (input !== undefined) this.#shell.child.stdin?.end(input);
  }

  /** Of the shell: its children are what counts. */
  get pid(): number {
    return this.#shell.pid;
  }

  /** Resolves when the command has ended well, at that moment. @throws Error with what it said otherwise. */
  async finished(): Promise<void> {
    for await (const chunk of this.#control.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      this.#code += chunk.toString();
      if (this.#code.includes('\n')) break;
    }
    if (this.#code.trim() === '0') return;
    await streamEnd(this.#shell.child.stderr);
    throw new Error(`ended with code ${this.#code.trim() || '?'}: ${this.#shell.said}`);
  }

  /** Ends the shell, and the command if it still runs; idempotent. */
  async release(): Promise<void> {
    this.#control.destroy();
    await this.#shell.stop();
  }
}

/** What was written before the end has arrived a turn or two of the event loop later. */
async function streamEnd(stream: Readable | null): Promise<void> {
  if (stream !== null) await pause(50);
}
