/**
 * The face for programs (`--json`): one JSON object a line on stdout and nothing else; stdin is a conversation of which
 * each line is handled as it arrives. What the lines look like stands in json-lines.ts.
 */
import type { Readable } from 'node:stream';
import type { ClientApi, ClientEvent } from '../client/api.js';
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { Ending } from './ending.js';
import { ExitCode, exitCodeFor } from './exit-codes.js';
import type { Face } from './face.js';
import { inputLines } from './input-lines.js';
import type { AnswerEvent, JsonEvent, RequestId } from './json-events.js';
import type { JsonRequest } from './json-lines.js';
import { BadLine, jsonLine, parseJsonLine } from './json-lines.js';
import type { Output } from './output.js';
import type { Result } from './perform.js';
import { perform } from './perform.js';
import { Waits } from './waits.js';
import { terminalLimits } from '../protocol/limits.js';

/** What a command adds to its `done`. */
type Yielded = Omit<Extract<AnswerEvent, { event: 'done' }>, 'event' | 'request'>;

export interface JsonFaceOptions {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly homeDirectory: string;
  /** Lines instead of those on stdin: a script, so one after the other, and the first failure ends it. */
  readonly exec: readonly string[];
  readonly stay: boolean;
  readonly clock: Clock;
  /** Wall clock for `at`. */
  readonly date: () => Date;
}

export class JsonFace implements Face {
  readonly #options: JsonFaceOptions;
  readonly #ending = new Ending();
  readonly #waits: Waits;

  constructor(options: JsonFaceOptions) {
    this.#options = options;
    this.#waits = new Waits(options.clock);
  }

  show(event: ClientEvent): Promise<void> | undefined {
    this.#ending.see(event);
    this.#waits.see(event);
    return this.#emit(event);
  }

  warn(text: string): void {
    void this.#options.stderr.write(`p2p-client: ${text}\n`);
  }

  fail(error: P2pError): void {
    void this.#emitError(error, undefined);
  }

  async run(api: ClientApi, stop: AbortSignal): Promise<ExitCode> {
    this.#ending.endWith(stop, this.#options.stdout);
    // A command that waits fails when the engine closes; nothing else would end it.
    this.#ending.over.addEventListener('abort', () => void api.close(), { once: true });
    const failed = this.#options.exec.length > 0 ? await this.#script(api) : await this.#conversation(api);
    if (!failed && this.#options.stay) await this.#ending.untilOver();
    if (!failed && !this.#ending.over.aborted) await this.#ending.finishTransfers(api, (text) => this.warn(text));
    await api.close();
    if (stop.aborted) return ExitCode.fine;
    return failed ? ExitCode.commandFailed : exitCodeFor(this.#ending.disconnected?.code ?? 'closed');
  }

  close(): void {
    // Nothing to give back: no terminal was touched.
  }

  /** @returns Whether a line failed; the rest was then not run. */
  async #script(api: ClientApi): Promise<boolean> {
    for (const line of this.#options.exec) {
      if (this.#ending.over.aborted) return false;
      if (!(await this.#handle(api, line, 'until-transferred'))) return true;
    }
    return false;
  }

  /** Handles the lines of stdin as they come; resolves when the last one is done. Failures end nothing. */
  async #conversation(api: ClientApi): Promise<false> {
    const { over } = this.#ending;
    const running = new Set<Promise<unknown>>();
    for await (const input of inputLines(this.#options.stdin, over)) {
      if ('tooLong' in input) {
        await this.#emitError(new P2pError('bad-argument', `A line has more than ${terminalLimits.lineBytes} bytes.`), undefined);
        continue;
      }
      const handling = this.#handle(api, input.line, 'until-offered').finally(() => running.delete(handling));
      running.add(handling);
      if (running.size >= terminalLimits.commandsAtOnce) await Promise.race(running);
      if (over.aborted) break;
    }
    await Promise.race([Promise.all(running), this.#ending.untilOver()]);
    return false;
  }

  /** @returns False when the line failed, which was then told. */
  async #handle(api: ClientApi, line: string, sending: 'until-offered' | 'until-transferred'): Promise<boolean> {
    let request: JsonRequest | undefined;
    try {
      request = parseJsonLine(line);
      if (request === undefined) return true;
      const yielded = await this.#perform(api, request, sending);
      if (request.id !== undefined) await this.#emit({ event: 'done', request: request.id, ...yielded });
      return true;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      await this.#emitError(error, error instanceof BadLine ? error.request : request?.id);
      return false;
    }
  }

  async #perform(api: ClientApi, request: JsonRequest, sending: 'until-offered' | 'until-transferred'): Promise<Yielded> {
    if (request.kind === 'say') {
      await api.say(request.text, request.to);
      return {};
    }
    const { homeDirectory, exec } = this.#options;
    const result: Result = await perform(api, request.command, { homeDirectory, stdinFree: exec.length > 0, waits: this.#waits });
    switch (result.kind) {
      case 'list':
        await this.#emit({ event: 'client-list', ...result.list });
        return {};
      case 'blocked':
        await this.#emit({ event: 'blocked', ...result.outcome });
        return {};
      case 'blocked-list':
        await this.#emit({ event: 'blocked-list', blocked: result.blocked });
        return {};
      case 'safety-number':
        await this.#emit({ event: 'safety-number', ...result.info });
        return {};
      case 'accepted-key':
        await this.#emit({ event: 'key-accepted', ...result.accepted });
        return {};
      case 'whois':
        await this.#emit({ event: 'whois', ...result.info });
        return {};
      case 'info':
        await this.#emit({ event: 'client-info', ...result.info });
        return {};
      case 'files':
        await this.#emit({ event: 'files', transfers: result.transfers, leftovers: result.leftovers });
        return {};
      case 'rate':
        await this.#emit({ event: 'rate-limit', bytesPerSecond: result.bytesPerSecond ?? null });
        return {};
      case 'help':
        await this.#emit({ event: 'help', text: result.text.join('\n') });
        return {};
      case 'waited': {
        const { peer, transfer } = result.awaited;
        return { ...(peer === undefined ? {} : { peer }), ...(transfer === undefined ? {} : { transfer }) };
      }
      case 'transfer': {
        if (sending === 'until-offered') return { transfer: result.transfer.id };
        const outcome = await result.transfer.finished;
        if (outcome.event === 'transfer-failed') throw new P2pError(outcome.code, outcome.message);
        return { transfer: result.transfer.id };
      }
      case 'said':
      case 'switched':
      case 'away':
      case 'unblocked':
      case 'left':
      case 'nothing':
        return {};
    }
  }

  #emit(event: JsonEvent): Promise<void> | undefined {
    return this.#options.stdout.write(jsonLine(event, this.#options.date()));
  }

  #emitError(error: P2pError, request: RequestId | undefined): Promise<void> | undefined {
    return this.#emit({ event: 'error', code: error.code, message: error.message, request });
  }
}
