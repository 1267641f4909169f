/**
 * The face for scripts: commands one after the other, each finished before the next; plain lines out; the first failure
 * ends it. Commands come from `--exec` or, without, from stdin.
 */
import type { Readable } from 'node:stream';
import type { ClientApi, ClientEvent, ClientEventOf } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import type { Clock } from '../net/clock.js';
import type { Palette } from './colours.js';
import { parseCommand } from './commands.js';
import { Ending } from './ending.js';
import { ExitCode, exitCodeFor } from './exit-codes.js';
import type { Face } from './face.js';
import { inputLines } from './input-lines.js';
import type { Line } from './layout.js';
import type { Output } from './output.js';
import { perform } from './perform.js';
import { ProgressPace } from './progress.js';
import { resultLines } from './result-lines.js';
import { Waits } from './waits.js';
import { notice } from './phrases.js';
import { eventLines, scriptErrorText } from './wording.js';

export interface ScriptFaceOptions {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly palette: Palette;
  readonly clock: Clock;
  readonly homeDirectory: string;
  /** Commands instead of those on stdin, which is then left alone. */
  readonly exec: readonly string[];
  /** Keep running after the last command, until a signal comes. */
  readonly stay: boolean;
  readonly accept: 'ask' | 'all' | 'none';
  /** Whether stdin is a person's keyboard, where nobody was told to type commands (`--received -`). */
  readonly stdinIsTTY: boolean;
  /** The run lasts until one file has come, whose success is its own; `stdout` above is then in truth stderr. */
  readonly untilReceived: boolean;
}

export class ScriptFace implements Face {
  readonly #options: ScriptFaceOptions;
  readonly #ending = new Ending();
  readonly #waits: Waits;
  readonly #pace = new ProgressPace();
  /** Those with whom the script itself opened a session. */
  readonly #opened = new Set<string>();
  #api: ClientApi | undefined;
  /** Why the script cannot go on, though no command of it failed. */
  #failure: P2pError | undefined;

  constructor(options: ScriptFaceOptions) {
    this.#options = options;
    this.#waits = new Waits(options.clock);
  }

  show(event: ClientEvent): Promise<void> | undefined {
    this.#ending.see(event);
    this.#waits.see(event);
    if (event.event === 'session-opened' && event.direction === 'outgoing') this.#opened.add(event.peer);
    if (event.event === 'session-closed') this.#sessionClosed(event);
    const api = this.#api;
    const context = {
      user: api?.user,
      current: api?.current,
      sessions: api?.sessions ?? [],
      transfers: api?.transfers ?? [],
      rateLimit: api?.rateLimit,
      accept: this.#options.accept,
      keysAnswer: undefined,
      interactive: false,
    };
    return this.#pace.isDue(event, this.#options.clock.now()) ? this.#print(eventLines(event, context)) : undefined;
  }

  warn(text: string): void {
    void this.#options.stderr.write(`p2p-client: ${text}\n`);
  }

  fail(error: P2pError): void {
    void this.#options.stderr.write(`${scriptErrorText(error)}\n`);
  }

  async run(api: ClientApi, stop: AbortSignal): Promise<ExitCode> {
    this.#api = api;
    this.#ending.endWith(stop, this.#options.stdout);
    const { over } = this.#ending;
    // A command that waits, for a transfer or an answer, fails when the engine closes; nothing else would end it.
    over.addEventListener('abort', () => void api.close(), { once: true });
    try {
      for await (const line of this.#lines(over)) {
        await this.#run(api, line);
        if (over.aborted) break;
      }
      if (this.#options.untilReceived) await this.#ending.untilReceived();
      else if (this.#options.stay) await this.#ending.untilOver();
      if (over.aborted) return await this.#endEarly(api, stop);
      const outcomes = await this.#ending.finishTransfers(api, (text) => void this.#print([notice(text)]));
      await api.close();
      if (this.#options.untilReceived && this.#ending.received?.event !== 'transfer-done') return ExitCode.commandFailed;
      return outcomes.some((outcome) => outcome.event === 'transfer-failed') ? ExitCode.commandFailed : ExitCode.fine;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      if (over.aborted) return await this.#endEarly(api, stop);
      this.fail(error);
      await api.close();
      return ExitCode.commandFailed;
    }
  }

  close(): void {
    // Nothing to give back: the terminal, if there is one, was left as it is.
  }

  /** The engine has tried for long to get the peer back, and says how to go on; a script that is about this peer has nothing left to do. */
  #sessionClosed({ peer, code, reason }: ClientEventOf<'session-closed'>): void {
    const { stay, untilReceived } = this.#options;
    if (!this.#opened.delete(peer) || code !== 'link-lost' || stay || untilReceived) return;
    this.#failure ??= new P2pError('link-lost', reason);
    // What it was doing is told first, by events that are still to come.
    setImmediate(() => this.#ending.end());
  }

  /** The link was closed, by a command or from outside, or a signal came. */
  async #endEarly(api: ClientApi, stop: AbortSignal): Promise<ExitCode> {
    await api.close();
    if (this.#failure !== undefined) this.fail(this.#failure);
    const { stay, untilReceived, stdout } = this.#options;
    if (stop.aborted) return stay && !untilReceived ? ExitCode.fine : ExitCode.commandFailed;
    if (this.#failure !== undefined || stdout.broken.aborted) return ExitCode.commandFailed;
    const code = exitCodeFor(this.#ending.disconnected?.code ?? 'closed');
    return code === ExitCode.fine && untilReceived && this.#ending.received?.event !== 'transfer-done' ? ExitCode.commandFailed : code;
  }

  /** Lines to run; blank ones and comments (`# …`, `#!…`) are left out. */
  async *#lines(signal: AbortSignal): AsyncGenerator<string> {
    if (this.#options.exec.length > 0) {
      yield* this.#options.exec;
      return;
    }
    if (this.#options.stdinIsTTY) return;
    for await (const input of inputLines(this.#options.stdin, signal)) {
      if ('tooLong' in input) throw new P2pError('bad-argument', 'A line of the script is too long.');
      if (input.line.trim() !== '' && !/^#(?:[\s!]|$)/u.test(input.line)) yield input.line;
    }
  }

  async #run(api: ClientApi, line: string): Promise<void> {
    const { homeDirectory, exec } = this.#options;
    const result = await perform(api, parseCommand(line), { homeDirectory, stdinFree: exec.length > 0, waits: this.#waits });
    if (result.kind !== 'transfer') {
      await this.#print(resultLines(result, { interactive: false, columns: undefined, nowMs: Date.now() }));
      return;
    }
    const outcome = await result.transfer.finished;
    // The event itself was shown; the code makes it an error of this command.
    if (outcome.event === 'transfer-failed') throw new P2pError(outcome.code, outcome.message);
  }

  #print(lines: readonly Line[]): Promise<void> | undefined {
    if (lines.length === 0) return undefined;
    return this.#options.stdout.write(lines.map((line) => `${this.#options.palette.line(line.kind, line.prefix, line.text)}\n`).join(''));
  }
}
