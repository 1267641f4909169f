/**
 * A program in a real pseudo-terminal, and what a person would see of it: the grid of a headless xterm.
 *
 * Nothing here sleeps: {@link ProgramTerminal.waitForText} looks again whenever the program has written something.
 */
import { spawn } from '@lydell/node-pty';
import type { IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface ProgramTerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  /** Added to the surroundings of the test; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How long a test waits for something to appear before it fails, milliseconds. */
const DEADLINE_MS = 15_000;
const SCROLLBACK_ROWS = 5_000;

export class ProgramTerminal {
  readonly #pty: IPty;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #looks = new Set<() => void>();
  /** Everything the program wrote, with its escape sequences. */
  raw = '';
  /** What the terminal itself answered, for example to a question for the cursor's place. */
  replies = '';
  /** Resolves when the program has ended and all its output is on the screen. */
  readonly exited: Promise<{ exitCode: number; signal: number | undefined }>;

  constructor(file: string, args: readonly string[], options: ProgramTerminalOptions = {}) {
    const { columns = 80, rows = 24, cwd = process.cwd(), env = {} } = options;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: SCROLLBACK_ROWS, allowProposedApi: true });
    // Colour and time stamps are asked for by the tests that want them.
    const wanted: Record<string, string | undefined> = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined, P2P_TIMESTAMPS: 'off', ...env };
    // Left in, undefined would arrive as that very word.
    const surroundings = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    this.#pty = spawn(file, [...args], { name: env['TERM'] ?? 'xterm-256color', cols: columns, rows, cwd, env: surroundings });
    this.#terminal.onData((reply) => {
      this.replies += reply;
      this.#pty.write(reply);
    });
    this.#pty.onData((data) => {
      this.raw += data;
      this.#terminal.write(data, () => this.#lookAgain());
    });
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => this.#terminal.write('', () => resolve({ exitCode, signal })));
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Keys as the terminal would send them: `\r` is Enter, `\x03` Ctrl-C, `\x7f` Backspace. */
  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** Types a line and Enter. */
  enter(line: string): void {
    this.type(`${line}\r`);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
    this.#lookAgain();
  }

  /** The rows of scroll-back and screen, without trailing spaces and without empty rows at the end. */
  screen(): string[] {
    const buffer = this.#terminal.buffer.active;
    const rows = Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true).trimEnd() ?? '');
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  /** The row of the cursor, cut at the cursor: what has been typed so far. */
  typed(): string {
    const { baseY, cursorY, cursorX } = this.#terminal.buffer.active;
    return this.#terminal.buffer.active.getLine(baseY + cursorY)?.translateToString(false, 0, cursorX) ?? '';
  }

  /**
   * Resolves with the screen as soon as `pattern` is on it (rows joined by `\n`); fails, showing the screen, after the
   * deadline or when the program ends without it.
   */
  async waitForText(pattern: RegExp, deadlineMs: number = DEADLINE_MS): Promise<string[]> {
    return await this.waitUntil((screen) => pattern.test(screen.join('\n')), String(pattern), deadlineMs);
  }

  /** As {@link waitForText}, for any condition. */
  async waitUntil(condition: (screen: string[]) => boolean, what: string, deadlineMs: number = DEADLINE_MS): Promise<string[]> {
    return await new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#looks.delete(look);
      };
      const look = () => {
        const screen = this.screen();
        if (!condition(screen)) return false;
        end();
        resolve(screen);
        return true;
      };
      const fail = (why: string) => {
        if (look()) return;
        end();
        reject(new Error(`${why}: ${what}\n${this.screen().join('\n')}\n--- typed: ${this.typed()}`));
      };
      const timer = setTimeout(() => fail('not seen in time'), deadlineMs);
      this.#looks.add(look);
      void this.exited.then(() => fail('the program ended without it'));
      look();
    });
  }

  /** Ends the program, if it still runs. Idempotent. */
  async close(): Promise<void> {
    const gone = await Promise.race([this.exited.then(() => true), Promise.resolve(false)]);
    if (!gone) {
      try {
        this.#pty.kill('SIGKILL');
      } catch (error) {
        // It ended just now.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
      await this.exited;
    }
    this.#terminal.dispose();
  }

  #lookAgain(): void {
    for (const look of [...this.#looks]) look();
  }
}
