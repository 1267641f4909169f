/** Starts fixtures/face-program in a pseudo-terminal, and steers its engine. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ProgramTerminalOptions } from '../helpers/terminal.js';
import { ProgramTerminal } from '../helpers/terminal.js';
import type { Steering } from './fixtures/face-program.js';

const PROGRAM = fileURLToPath(new URL('./fixtures/face-program.js', import.meta.url));

const DEADLINE_MS = 15_000;

export interface FaceOptions extends ProgramTerminalOptions {
  /**
   * Under a shell that lives on and shows how the program ended and how it left the terminal. `jobs`: with job control; after
   * the program was stopped, Enter brings it back.
   */
  readonly shell?: boolean | 'jobs';
  /** Inside tmux, with this socket name. */
  readonly tmux?: string;
}

function commandLine({ shell, tmux }: FaceOptions): string[] {
  const program = [process.execPath, PROGRAM];
  if (shell === 'jobs') return ['/bin/bash', '-c', 'set -m; "$@"; echo "stopped with $?"; stty -a; read -r; fg; echo "ended with $?"', 'bash', ...program];
  if (shell === true) return ['/bin/bash', '-c', 'trap : INT; "$@"; echo "ended with $?"; stty -a', 'bash', ...program];
  // The configuration of whoever runs the tests stays out of it.
  return tmux === undefined ? program : ['tmux', '-L', tmux, '-f', '/dev/null', 'new-session', ...program];
}

export class FaceInTerminal {
  readonly terminal: ProgramTerminal;
  readonly #socket: Socket;
  /** Made for this program, unless the surroundings named another. */
  readonly #home: string;
  readonly #calls: string[] = [];
  readonly #looks = new Set<() => void>();

  private constructor(terminal: ProgramTerminal, socket: Socket, home: string) {
    this.terminal = terminal;
    this.#socket = socket;
    this.#home = home;
    createInterface({ input: socket }).on('line', (line) => {
      this.#calls.push(line);
      for (const look of [...this.#looks]) look();
    });
  }

  /** At the start-up questions. */
  static async start(options: FaceOptions = {}): Promise<FaceInTerminal> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const home = await mkdtemp(join(tmpdir(), 'p2p-face-'));
    const env = { TEST_PORT: String(port), P2P_HOME: home, ...options.env };
    const [file = '', ...args] = commandLine(options);
    const terminal = new ProgramTerminal(file, args, { ...options, env });
    const [socket] = await connected;
    server.close();
    return new FaceInTerminal(terminal, socket, home);
  }

  /** Logged in as alice, at the prompt. */
  static async startLoggedIn(options: FaceOptions = {}): Promise<FaceInTerminal> {
    const face = await FaceInTerminal.start({ ...options, env: { TEST_USER: 'alice', P2P_PASSWORD: 'pässword', ...options.env } });
    await face.terminal.waitForText(/^server> $|^server>$/mu);
    return face;
  }

  steer(steering: Steering): void {
    this.#socket.write(`${JSON.stringify(steering)}\n`);
  }

  message(text: string, peer = 'bob'): void {
    this.steer({ emit: { event: 'message', peer, direction: 'in', text } });
  }

  /** Resolves once the engine was asked for this, for example `["say","hello"]`. */
  async called(call: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not called: ${call}; but ${this.#calls.join(' ')}`)), DEADLINE_MS);
      const look = () => {
        if (!this.#calls.includes(call)) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    await this.terminal.close();
    this.#socket.destroy();
    await rm(this.#home, { recursive: true, force: true });
  }
}
