/**
 * Raw mode, bracketed paste and focus reports of the terminal, and that it always gets its own ways back: at the end, when
 * the program fails, and while it is stopped by Ctrl-Z.
 *
 * Owns the signals of stopping. SIGINT and SIGTERM are bin/'s, which ends the run and so closes the screen.
 */
import type { Readable } from 'node:stream';
import type { Output } from '../output.js';

/** Pasted text comes between marks, and the terminal tells when it gets or loses the focus (xterm, ctlseqs). */
const ON = '\x1b[?2004h\x1b[?1004h';
const OFF = '\x1b[?1004l\x1b[?2004l';

/** A stop that the system does not carry out (no shell to come back to) is over after this, milliseconds. */
const NOT_STOPPED_MS = 200;

export interface Stopping {
  /** Just before the program stops: what is on the screen stays there. */
  before(): void;
  /** The terminal is in raw mode again, the cursor somewhere at the start of a row. */
  after(): void;
}

export class TerminalMode {
  readonly #stdin: Readable & { setRawMode?: (raw: boolean) => unknown };
  readonly #stdout: Output;
  readonly #stopping: Stopping;
  #state: 'off' | 'on' | 'stopping' = 'off';
  readonly #leave = () => this.#set(false);
  readonly #stop = () => this.stop();
  readonly #continued = () => this.#continue();
  readonly #notStopped = () => {
    if (this.#state === 'stopping') this.#continue();
  };

  constructor(stdin: Readable, stdout: Output, stopping: Stopping) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#stopping = stopping;
  }

  on(): void {
    this.#state = 'on';
    this.#set(true);
    // Also runs where an error ends the program.
    process.on('exit', this.#leave);
    process.on('SIGTSTP', this.#stop);
    process.on('SIGCONT', this.#continued);
  }

  /** Idempotent. */
  off(): void {
    if (this.#state === 'off') return;
    this.#state = 'off';
    this.#set(false);
    process.off('exit', this.#leave);
    process.off('SIGTSTP', this.#stop);
    process.off('SIGCONT', this.#continued);
  }

  /** Stops the program as a terminal that is not in raw mode would, together with what it was started by (npx). */
  stop(): void {
    if (this.#state !== 'on' || process.platform === 'win32') return;
    this.#state = 'stopping';
    this.#stopping.before();
    this.#set(false);
    // Without a listener the signal does what it is for.
    process.off('SIGTSTP', this.#stop);
    process.kill(0, 'SIGTSTP');
    // A turn later, so that a SIGCONT which has come meanwhile is heard first.
    setTimeout(() => setImmediate(this.#notStopped), NOT_STOPPED_MS);
  }

  /** Also after SIGSTOP, for which nothing could be made ready. */
  #continue(): void {
    if (this.#state === 'off') return;
    if (this.#state === 'stopping') process.on('SIGTSTP', this.#stop);
    this.#state = 'on';
    this.#set(true);
    this.#stopping.after();
  }

  #set(raw: boolean): void {
    this.#stdin.setRawMode?.(raw);
    void this.#stdout.write(raw ? ON : OFF);
  }
}
