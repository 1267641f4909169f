/**
 * The face for a person: a prompt that shows who is spoken to, lines printed above it, every command at once.
 *
 * Owns what a typed line, Ctrl-Y, Ctrl-N, Ctrl-C and Ctrl-D lead to. Cursor and keys are the screen's (screen.ts), words are wording.ts's.
 */
import type { ClientApi, ClientEvent, TransferSnapshot } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import type { Clock, Timer } from '../net/clock.js';
import { Attention } from './attention.js';
import type { Palette } from './colours.js';
import { parseTyped } from './commands.js';
import { Delivery } from './delivery.js';
import type { Editing } from './editing/sources.js';
import { Ending } from './ending.js';
import type { ExitCode } from './exit-codes.js';
import { exitCodeFor, ExitCode as Exit } from './exit-codes.js';
import type { Face } from './face.js';
import type { Line } from './layout.js';
import { liveTransferRows } from './live-transfers.js';
import type { Output } from './output.js';
import { perform } from './perform.js';
import { ProgressPace } from './progress.js';
import { promptParts } from './prompt.js';
import { resultLines } from './result-lines.js';
import { Stamps } from './stamps.js';
import { Waits } from './waits.js';
import type { Screen } from './screen.js';
import { attentionLimits, terminalLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { WordingContext } from './wording.js';
import { fileName, notice, toOrFrom } from './phrases.js';
import { deliveredLine, errorLines, eventLines, goesToLine, leavingLines } from './wording.js';

export interface TerminalFaceOptions {
  readonly screen: Screen;
  /** History and completion; without it a line is only edited. */
  readonly editing?: Editing;
  readonly stdout: Output;
  readonly clock: Clock;
  readonly homeDirectory: string;
  readonly accept: 'ask' | 'all' | 'none';
  readonly palette: Palette;
  /** Wall clock for time stamps. */
  readonly date: () => Date;
  readonly timestamps: boolean;
  /** How the person is called: by the desktop and the bell, by the bell, or not at all. */
  readonly attention: 'notify' | 'bell' | 'off';
}

/** After these the live rows may be others: a transfer that is offered anew to a program that was started anew is none until it is accepted. */
const TRANSFER_EVENTS: ReadonlySet<string> = new Set<ClientEvent['event']>(['offer', 'progress', 'transfer-state', 'transfer-done', 'transfer-failed', 'session-back']);

export class TerminalFace implements Face {
  readonly #options: TerminalFaceOptions;
  readonly #ending = new Ending();
  readonly #waits: Waits;
  readonly #pace = new ProgressPace();
  readonly #attention: Attention;
  readonly #delivery: Delivery;
  readonly #stamps: Stamps | undefined;
  /** While messages are under way: they may take longer than usual. */
  #deliveryTimer: Timer | undefined;
  /** Offers of others that were shown and not answered by a key; a key must not answer what nobody has seen. */
  readonly #shownOffers = new Set<number>();
  #api: ClientApi | undefined;
  /** When a key to leave was last answered with what that would mean. */
  #askedToLeaveAt = Number.NEGATIVE_INFINITY;

  constructor(options: TerminalFaceOptions) {
    this.#options = options;
    const { clock, timestamps, date } = options;
    this.#waits = new Waits(clock);
    this.#attention = new Attention(clock);
    this.#delivery = new Delivery(clock);
    this.#stamps = timestamps ? new Stamps(date) : undefined;
  }

  show(event: ClientEvent): Promise<void> | undefined {
    if (event.event === 'offer' && event.direction === 'incoming') this.#shownOffers.add(event.id);
    if (event.event === 'transfer-done' || event.event === 'transfer-failed') this.#shownOffers.delete(event.id);
    const due = this.#pace.isDue(event, this.#options.clock.now());
    // Where there is a live area, that is where progress stands.
    const inLine = due && !(event.event === 'progress' && this.#options.screen.hasLiveArea);
    const full = inLine ? this.#print(this.#stamped(eventLines(event, this.#context()))) : undefined;
    this.#attend(event);
    if (TRANSFER_EVENTS.has(event.event)) this.#options.screen.setLive((space) => liveTransferRows(this.#api?.transfers ?? [], space));
    if (event.event !== 'progress') this.#updatePrompt();
    this.#options.editing?.see(event);
    this.#ending.see(event);
    this.#waits.see(event);
    return full;
  }

  warn(text: string): void {
    void this.#print([notice(text)]);
  }

  fail(error: P2pError): void {
    void this.#print(errorLines(error));
  }

  async run(api: ClientApi, stop: AbortSignal): Promise<ExitCode> {
    this.#api = api;
    const { screen, stdout, editing } = this.#options;
    this.#ending.endWith(stop, stdout);
    const createEditor = screen.hasKeys && editing !== undefined ? await editing.start(api, (text) => this.warn(text)) : undefined;
    const left = new AbortController();
    this.#updatePrompt();
    screen.start({
      line: (line) => void this.#line(api, line),
      interrupt: (typed) => {
        this.#attention.active();
        if (typed !== '') this.#askedToLeaveAt = Number.NEGATIVE_INFINITY;
        else if (this.#mayLeave(api, 'Ctrl-C')) left.abort();
      },
      mayEnd: () => this.#mayLeave(api, 'Ctrl-D'),
      end: () => left.abort(),
      answerKey: (accept) => this.#answerOffer(api, accept),
      ...(createEditor === undefined ? {} : { createEditor }),
      sessionKey: (number) => this.#switchTo(api, number),
      focus: (here) => this.#attention.focus(here),
    });
    this.#ending.endWith(left.signal, stdout);
    await this.#ending.untilOver();
    screen.close();
    this.#deliveryTimer?.stop();
    if (this.#ending.disconnected === undefined) await api.close();
    await editing?.close();
    // Leaving was the person's own wish; otherwise the last event says why.
    return left.signal.aborted && this.#ending.disconnected === undefined ? Exit.fine : exitCodeFor(this.#ending.disconnected?.code ?? 'closed');
  }

  close(): void {
    this.#options.screen.close();
  }

  async #line(api: ClientApi, line: string): Promise<void> {
    this.#attention.active();
    this.#askedToLeaveAt = Number.NEGATIVE_INFINITY;
    if (line.trim() === '') return;
    try {
      const command = parseTyped(line);
      if (command.command === 'GET_CLIENT_INFO' && !hasBlocked(api, command.user)) void this.#print([notice(`Asking ${command.user} for a session…`)]);
      const performing = perform(api, command, { homeDirectory: this.#options.homeDirectory, stdinFree: false, waits: this.#waits });
      // The next line may have come in the same piece, and is to stand behind the prompt of whom it goes to.
      this.#updatePrompt();
      const { stdout, date } = this.#options;
      void this.#print(resultLines(await performing, { interactive: true, columns: stdout.columns, nowMs: date().getTime() }));
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      void this.#print(errorLines(error));
    }
    this.#updatePrompt();
  }

  /** Counts what is unread, rings where the person should look, and follows what was said to where it arrives. */
  #attend(event: ClientEvent): void {
    const { screen, attention } = this.#options;
    const api = this.#api;
    const alert = this.#attention.see(event, { user: api?.user, current: api?.current, saidAway: api?.away !== undefined });
    if (alert !== undefined && attention !== 'off') {
      if (attention === 'notify') screen.notify(alert.title, alert.text);
      else screen.bell();
    }
    const arrived = this.#delivery.see(event);
    if (arrived > 0 && event.event === 'message-state') void this.#print(this.#stamped([deliveredLine(event.peer, arrived)]));
    if (this.#delivery.isUnderway) this.#watchDelivery();
  }

  #watchDelivery(): void {
    this.#deliveryTimer ??= this.#options.clock.after(attentionLimits.usualDeliveryMs, () => {
      this.#deliveryTimer = undefined;
      this.#updatePrompt();
      if (this.#delivery.isUnderway) this.#watchDelivery();
    });
  }

  #switchTo(api: ClientApi, number: number): void {
    this.#attention.active();
    try {
      void this.#print([goesToLine(api.switchSession(number))]);
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      void this.#print(errorLines(error));
    }
    this.#updatePrompt();
  }

  /** Leaving by a key: Ctrl-C is asked about always, Ctrl-D where it would stop transfers; the second one soon after is meant. */
  #mayLeave(api: ClientApi, key: 'Ctrl-C' | 'Ctrl-D'): boolean {
    const now = this.#options.clock.now();
    if (now - this.#askedToLeaveAt <= terminalLimits.interruptTwiceMs) return true;
    const transfers = api.transfers.filter(({ state }) => state !== 'offered').length;
    if (key === 'Ctrl-D' && transfers === 0) return true;
    this.#askedToLeaveAt = now;
    void this.#print(leavingLines(key, transfers));
    return false;
  }

  /** Ctrl-Y and Ctrl-N, whatever is on the line. @returns False where no offer waits: the key then keeps its meaning. */
  #answerOffer(api: ClientApi, accept: boolean): boolean {
    const offer = this.#oldestOffer(api);
    if (offer === undefined) return false;
    this.#shownOffers.delete(offer.id);
    const answering = accept ? api.acceptFile(offer.id) : api.rejectFile(offer.id);
    void answering.then(
      // A refusal is told by the event that ends the offer.
      () => (accept ? this.#print([notice(`Accepted number ${offer.id}, ${fileName(offer.name)} ${toOrFrom(offer)}.`)]) : undefined),
      (error: unknown) => {
        if (!(error instanceof P2pError)) throw error;
        return this.#print(errorLines(error));
      },
    );
    return true;
  }

  /** The offer that has waited longest for the person's answer. */
  #oldestOffer(api: ClientApi): TransferSnapshot | undefined {
    return api.transfers.find((one) => one.state === 'offered' && this.#shownOffers.has(one.id));
  }

  #context(): WordingContext {
    const api = this.#api;
    return {
      user: api?.user,
      current: api?.current,
      sessions: api?.sessions ?? [],
      transfers: api?.transfers ?? [],
      rateLimit: api?.rateLimit,
      accept: this.#options.accept,
      keysAnswer: this.#options.screen.hasKeys && api !== undefined ? this.#oldestOffer(api)?.id : undefined,
      numberOf: (peer) => api?.sessionNumber(peer),
      interactive: true,
    };
  }

  #updatePrompt(): void {
    const api = this.#api;
    if (api === undefined) return;
    const { user, current } = api;
    if (current !== undefined) this.#attention.read(current);
    const state = {
      user,
      current,
      verified: current !== undefined && api.isVerified(current),
      undelivered: current === undefined ? 0 : this.#delivery.undelivered(current),
      sessions: api.sessions.map((peer) => ({ peer, number: api.sessionNumber(peer), unread: this.#attention.unread(peer) })),
    };
    this.#options.screen.setPrompt(promptParts(state, this.#options.palette));
  }

  #stamped(lines: readonly Line[]): readonly Line[] {
    return this.#stamps?.stamped(lines, this.#options.stdout.columns) ?? lines;
  }

  #print(lines: readonly Line[]): Promise<void> | undefined {
    return this.#options.screen.print(lines);
  }
}

/** Then nobody is asked: the engine's refusal says why. */
function hasBlocked(api: ClientApi, user: string): boolean {
  return api.blocked.some((one) => canonicalUserName(one.user) === canonicalUserName(user));
}
