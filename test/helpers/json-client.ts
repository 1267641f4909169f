/** The real programs, driven as other programs drive them: `p2p-server --port 0`, and `p2p-client --json`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program, thisHost } from './processes.js';
import type { Host } from './processes.js';

const bin = fileURLToPath(new URL('../../src/bin/', import.meta.url));
const bundled = fileURLToPath(new URL('../../bundle/client/p2p-client.js', import.meta.url));
/** What people start; where it was not made, the modules that it is made of. */
export const CLIENT = existsSync(bundled) ? bundled : join(bin, 'p2p-client.js');
export const SERVER = join(bin, 'p2p-server.js');

export interface RealServer {
  readonly port: number;
  readonly fingerprint: string;
  close(): Promise<void>;
  /** As a crash of the machine would. */
  kill(): void;
}

/** A server that keeps its accounts in `folder`; port 0 takes a free one. */
export async function startServer(folder: string, port = 0, host = thisHost): Promise<RealServer> {
  const program = new Program(...host.command(process.execPath, [SERVER, '--host', host.address, '--port', String(port), '--data', folder, '--log-level', 'warn']));
  try {
    const said = await program.untilSaid(/listening on .*:(?<port>\d+)\n[^]*?(?<fingerprint>SHA256:[A-Za-z0-9+/]{43})/u);
    return { port: Number(said.groups?.['port']), fingerprint: said.groups?.['fingerprint'] ?? '', close: () => program.stop(), kill: () => void process.kill(program.pid, 'SIGKILL') };
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** One line of output; which fields there are depends on the event (README, JSON table). */
export interface JsonEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ClientLogin {
  /** Of the server; {@link thisHost}'s where nothing is said. */
  readonly address?: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly home: string;
  /** Makes the account. */
  readonly isNew: boolean;
  /** Where the client runs. */
  readonly host?: Host;
  /** Further arguments; they may take back `--accept all`. */
  readonly options?: readonly string[];
  /** What is wrong with a line, if anything; {@link JsonClient.close} fails then. Not for measuring: it takes time. */
  readonly faultOf?: (line: string) => string | undefined;
}

export class JsonClient {
  readonly user: string;
  readonly #program: Program;
  readonly #listeners = new Set<(event: JsonEvent) => void>();
  #requests = 0;
  #unfinishedLine = '';
  #loggedIn: JsonEvent | undefined;
  readonly #faultOf: ClientLogin['faultOf'];
  readonly #faults: string[] = [];

  private constructor({ user, faultOf }: ClientLogin, program: Program) {
    this.user = user;
    this.#program = program;
    this.#faultOf = faultOf;
    program.child.stdout?.on('data', (text: string) => this.#read(text));
    program.child.stdin?.on('error', () => undefined);
  }

  /** Resolves when logged in. */
  static async start(login: ClientLogin): Promise<JsonClient> {
    const { address = thisHost.address, host = thisHost } = login;
    const args = [address, String(login.port), '--user', login.user, '--home', login.home, '--json', '--accept', 'all', ...(login.options ?? [])];
    const program = new Program(...host.command(CLIENT, login.isNew ? [...args, '--new'] : args), {
      env: { ...process.env, P2P_PASSWORD: login.password },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const client = new JsonClient(login, program);
    try {
      client.#loggedIn = await client.next('logged-in');
    } catch (error) {
      await program.stop();
      throw error;
    }
    return client;
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** The fingerprint of this person's identity. */
  get fingerprint(): string {
    return String(this.#loggedIn?.['fingerprint']);
  }

  /** Calls `listener` with every event from now on. @returns What ends that. */
  onEvent(listener: (event: JsonEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next event of that name for which `matches` holds. @throws Error after `timeoutMs`, or when the client ends. */
  next(name: string, matches: (event: JsonEvent) => boolean = () => true, timeoutMs = 600_000): Promise<JsonEvent> {
    return this.#until((event) => (event.event === name && matches(event) ? event : undefined), name, timeoutMs);
  }

  /** The next event of one of those names for which `matches` holds. @throws Error as {@link next}. */
  nextOf(names: readonly string[], matches: (event: JsonEvent) => boolean, timeoutMs = 600_000): Promise<JsonEvent> {
    return this.#until((event) => (names.includes(event.event) && matches(event) ? event : undefined), names.join(' or '), timeoutMs);
  }

  /** The event that ends the next transfer well. @throws Error when it fails. */
  async transferEnd(): Promise<JsonEvent> {
    const ends = new Set(['transfer-done', 'transfer-failed']);
    const event = await this.#until((one) => (ends.has(one.event) ? one : undefined), 'end of the transfer', 600_000);
    if (event.event === 'transfer-failed') throw new Error(`${this.user}: ${String(event['code'])}: ${String(event['message'])}`);
    return event;
  }

  /** Runs a command; resolves with its `done`. @throws Error with the text of its `error`. */
  async command(command: string): Promise<JsonEvent> {
    return this.#request({ command });
  }

  /** Resolves when the peer has acknowledged. */
  async say(text: string, to: string): Promise<JsonEvent> {
    return this.#request({ say: text, to });
  }

  /** Says without waiting for anything, for measuring. */
  sayAtOnce(text: string, to: string): void {
    this.#write({ say: text, to });
  }

  /** As if the window was closed. @throws Error when it has written a line that it should not have. */
  async close(): Promise<void> {
    await this.#program.stop();
    if (this.#faults.length > 0) throw new Error(`${this.user} wrote: ${this.#faults.splice(0).join('\n')}`);
  }

  async #request(request: object): Promise<JsonEvent> {
    this.#requests += 1;
    const id = this.#requests;
    const answer = this.#until((event) => (event['request'] === id ? event : undefined), JSON.stringify(request), 60_000);
    this.#write({ id, ...request });
    const event = await answer;
    if (event.event === 'error') throw new Error(`${this.user}: ${String(event['code'])}: ${String(event['message'])}`);
    return event;
  }

  #write(line: object): void {
    this.#program.child.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  #read(text: string): void {
    const lines = (this.#unfinishedLine + text).split('\n');
    this.#unfinishedLine = lines.pop() ?? '';
    for (const line of lines) {
      const fault = this.#faultOf?.(line);
      if (fault !== undefined) this.#faults.push(`${line}: ${fault}`);
      const event = JSON.parse(line) as JsonEvent;
      for (const listener of [...this.#listeners]) listener(event);
    }
  }

  #until(pick: (event: JsonEvent) => JsonEvent | undefined, what: string, timeoutMs: number): Promise<JsonEvent> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        forget();
        this.#program.child.off('exit', onExit);
        settle();
      };
      const fail = (why: string): void => finish(() => reject(new Error(`${this.user}: ${what}: ${why}: ${this.#program.said.slice(-500)}`)));
      const onExit = (): void => fail('the client ended');
      const timer = setTimeout(() => fail(`nothing in ${timeoutMs} ms`), timeoutMs);
      const forget = this.onEvent((event) => {
        const picked = pick(event);
        if (picked !== undefined) finish(() => resolve(picked));
      });
      this.#program.child.once('exit', onExit);
      if (!this.#program.running) onExit();
    });
  }
}
