/**
 * The face for scripts: commands one after the other, each finished before the next; plain lines out; the first failure
 * ends it. Commands come from `--exec` or, without, from stdin.
 */
import type { Readable } from 'node:stream';
import type { ClientApi, ClientEvent } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import type { Clock } from '../net/clock.js';
import type { Palette } from './colours.js';
import { parseCommand } from './commands.js';
import { Ending } from './ending.js';
import { ExitCode, exitCodeFor } from './exit-codes.js';
import type { Face } from './face.js';
import { HELP } from './help.js';
import { inputLines } from './input-lines.js';
import type { Line } from './layout.js';
import type { Output } from './output.js';
import { perform } from './perform.js';
import { ProgressPace } from './progress.js';
import { clientInfoLines, clientListLines, eventLines, helpLines, progressLines, scriptErrorText } from './wording.js';

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
}

export class ScriptFace implements Face {
  readonly #options: ScriptFaceOptions;
  readonly #ending = new Ending();
  readonly #pace = new ProgressPace();
  #api: ClientApi | undefined;

  constructor(options: ScriptFaceOptions) {
    this.#options = options;
  }

  show(event: ClientEvent): Promise<void> | undefined {
    this.#ending.see(event);
    const context = { user: this.#api?.user, current: this.#api?.current, sessions: this.#api?.sessions ?? [], accept: this.#options.accept, interactive: false };
    const due = this.#pace.isDue(event, this.#options.clock.now());
    if (event.event === 'progress') {
      return due ? this.#print(progressLines(event, this.#api?.transfers.find((one) => one.id === event.id))) : undefined;
    }
    return this.#print(eventLines(event, context));
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
      if (this.#options.stay) await this.#ending.untilOver();
      if (over.aborted) return await this.#endEarly(api, stop);
      const outcomes = await this.#ending.finishTransfers(api);
      await api.close();
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

  /** The link was closed, by a command or from outside, or a signal came. */
  async #endEarly(api: ClientApi, stop: AbortSignal): Promise<ExitCode> {
    await api.close();
    if (stop.aborted) return this.#options.stay ? ExitCode.fine : ExitCode.commandFailed;
    if (this.#options.stdout.broken.aborted) return ExitCode.commandFailed;
    return exitCodeFor(this.#ending.disconnected?.code ?? 'closed');
  }

  /** Lines to run; blank ones and comments (`# …`, `#!…`) are left out. */
  async *#lines(signal: AbortSignal): AsyncGenerator<string> {
    if (this.#options.exec.length > 0) {
      yield* this.#options.exec;
      return;
    }
    for await (const input of inputLines(this.#options.stdin, signal)) {
      if ('tooLong' in input) throw new P2pError('bad-argument', 'A line of the script is too long.');
      if (input.line.trim() !== '' && !/^#(?:[\s!]|$)/u.test(input.line)) yield input.line;
    }
  }

  async #run(api: ClientApi, line: string): Promise<void> {
    const result = await perform(api, parseCommand(line), this.#options.homeDirectory);
    switch (result.kind) {
      case 'list':
        await this.#print(clientListLines(result.list));
        return;
      case 'info':
        await this.#print(clientInfoLines(result.info));
        return;
      case 'help':
        await this.#print(helpLines(HELP));
        return;
      case 'transfer': {
        const outcome = await result.transfer.finished;
        // The event itself was shown; the code makes it an error of this command.
        if (outcome.event === 'transfer-failed') throw new P2pError(outcome.code, outcome.message);
        return;
      }
      case 'left':
      case 'nothing':
        return;
    }
  }

  #print(lines: readonly Line[]): Promise<void> | undefined {
    if (lines.length === 0) return undefined;
    return this.#options.stdout.write(lines.map((line) => `${this.#options.palette.line(line.kind, line.prefix, line.text)}\n`).join(''));
  }
}
