/**
 * A session: the chat with one peer and the transfers that belong to it, over one link after the other (PROTOCOL.md 7.3.1 to 7.5).
 *
 * Owns its states (a link is there, lost, ending) and what goes on over a new link. Numbers of messages are in chat.ts, times of
 * attempts in reconnection.ts; which sessions there are and which is current is the business of sessions.ts.
 */
import type { Clock } from '../net/clock.js';
import type { Traffic } from '../net/connection.js';
import { deferred } from '../net/deferred.js';
import type { Continuity, PeerLink } from '../net/peer-link.js';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import { peerLimits, timeLimits } from '../protocol/limits.js';
import type { PeerMessage } from '../protocol/peer-messages.js';
import type { TransferEvent } from '../transfer/events.js';
import type { TransferManager } from '../transfer/manager.js';
import type { ClientEventOf, SessionEnd } from './api.js';
import { Chat } from './chat.js';
import type { Introduced } from './introductions.js';
import { Reconnection } from './reconnection.js';

export type SessionEvent = ClientEventOf<'message' | 'message-state' | 'session-lost' | 'session-back'> | TransferEvent;

/** What a session needs of its transfers, and what its owner asks them through it. */
export type Transfers = Pick<
  TransferManager,
  | 'attach' | 'detach' | 'close' | 'handleMessage' | 'handleData' | 'handleEntryEnd' | 'offer' | 'offerPipe'
  | 'accept' | 'reject' | 'cancel' | 'pause' | 'resume' | 'has' | 'hasOffer' | 'snapshots'
>;

export interface Ended {
  readonly code: SessionEnd;
  readonly reason: string;
  readonly undelivered: number;
  /** This side ended it, and the peer may not know. */
  readonly ours: 'told' | 'untold' | undefined;
}

export interface SessionOptions {
  readonly introduced: Introduced;
  readonly clock: Clock;
  /** In [0, 1); for the back-off. */
  readonly random?: () => number;
  makeTransfers(emit: (event: TransferEvent) => void): Transfers;
  /** Has the peer introduced once more; resolves when {@link Session.take} was given the link. Rejects with P2pError. */
  reconnect(session: Session): Promise<void>;
  /** A promise asks to be sent no more until it resolves: whoever shows the events is slower than the peer. */
  emit(event: SessionEvent): void | Promise<void>;
  /** Exactly once, after every transfer has failed or ended. */
  onEnd(session: Session, end: Ended): void;
}

type State =
  | { readonly at: 'open'; readonly link: PeerLink }
  | { readonly at: 'lost' }
  | { readonly at: 'ending'; readonly link: PeerLink | undefined; readonly code: SessionEnd; readonly reason: string; readonly ours: Ended['ours'] };

export class Session {
  readonly peer: string;
  readonly fingerprint: string;
  readonly openedAt = new Date();
  readonly transfers: Transfers;
  readonly #options: SessionOptions;
  readonly #chat: Chat;
  readonly #reconnection: Reconnection;
  readonly #ended = deferred<undefined>();
  #introduced: Introduced;
  #id: string;
  #state: State;
  /** Events that the consumer has not taken yet. */
  #held = 0;
  /** Of links that are gone. */
  #pastTraffic: Traffic = { sent: 0, received: 0 };
  /** Links in a row that the peer spoiled by breaking the rules. */
  #violations = 0;

  constructor(options: SessionOptions) {
    const { introduced, clock, random } = options;
    this.#options = options;
    this.#introduced = introduced;
    this.#id = introduced.introduction;
    this.peer = introduced.peer;
    this.fingerprint = introduced.fingerprint;
    this.#state = { at: 'open', link: introduced.link };
    const { peer } = this;
    this.#chat = new Chat({
      peer,
      clock,
      onHeard: (text) => this.#emit({ event: 'message', peer, direction: 'in', text }),
      onSaid: (number, text) => this.#emit({ event: 'message', peer, direction: 'out', text, number }),
      onState: (number, state) => this.#emit({ event: 'message-state', peer, number, state }),
    });
    this.transfers = options.makeTransfers((event) => this.#emit(event));
    this.#reconnection = new Reconnection({
      clock,
      ...(random === undefined ? {} : { random }),
      attempt: () => options.reconnect(this),
      onFinal: (error) => this.#onFinal(error),
      onTimeUp: () => this.#endLost('link-lost', `The connection to ${this.peer} did not come back within ${timeLimits.reconnectMs / 60_000} minutes.${this.#byHand}`),
    });
  }

  /** Named after the introduction of the first link (PROTOCOL.md 7.3.1); another when the peer's program turned out to be another. */
  get id(): string {
    return this.#id;
  }

  /** How the link came about, or the last one. */
  get introduced(): Introduced {
    return this.#introduced;
  }

  /** Bytes of frames so far, over all its links. */
  get traffic(): Traffic {
    return this.#state.at === 'open' ? sum(this.#pastTraffic, this.#state.link.traffic) : this.#pastTraffic;
  }

  /** Milliseconds to the peer and back; undefined while there is no link, or no answer. */
  async measureRoundTrip(): Promise<number | undefined> {
    return this.#state.at === 'open' ? await this.#state.link.measureRoundTrip() : undefined;
  }

  /** `lost`: the link is being re-made. */
  get state(): State['at'] {
    return this.#state.at;
  }

  /** Resolves when the session has ended and its owner knows. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** What our hello to this peer says; `asked`: the session that the other's hello names, where it came first. */
  continuity(asked: string | undefined): Continuity {
    if (this.#state.at !== 'ending') return { session: this.#id, taken: this.#chat.taken };
    return this.#state.code !== 'link-lost' && asked === this.#id ? { ended: true } : {};
  }

  /** Begins to read from the first link; called once, when the session is known to its owner. */
  start(): void {
    const { link } = this.#introduced;
    this.#chat.begin((message) => link.send(message));
    this.transfers.attach(portOf(link), 'first');
    this.#read(link);
  }

  /** Goes on over a new link, whether or not the old one was known to be broken. Not called when the session is ending. */
  take(introduced: Introduced): void {
    const { link } = introduced;
    if (this.#state.at === 'open') this.#lose(this.#state.link, `${this.peer} has connected anew.`);
    this.#reconnection.stop();
    const restarted = link.continues !== this.#id;
    if (restarted) this.#id = introduced.introduction;
    this.#introduced = introduced;
    this.#state = { at: 'open', link };
    this.#emit({ event: 'session-back', peer: this.peer, path: 'direct', address: link.address, restarted });
    const send = (message: PeerMessage) => link.send(message);
    if (restarted) this.#chat.begin(send);
    else this.#chat.continue(link.heard.taken ?? 0, send);
    this.transfers.attach(portOf(link), restarted ? 'restarted' : 'continued');
    this.#read(link);
  }

  /** Tries to get a link at once, where there is none. @throws P2pError why it failed; the session goes on trying, unless it has ended. */
  async retry(): Promise<void> {
    if (this.#state.at !== 'lost') return;
    try {
      await this.#reconnection.now();
    } catch (error) {
      // The peer may have come by itself meanwhile.
      if (!this.#isOpen()) throw error;
    }
  }

  /** What may have kept the link from being re-made is gone. */
  hurry(): void {
    if (this.#state.at === 'lost') this.#reconnection.hurry();
  }

  /**
   * Sends one message; resolves once the peer has acknowledged it.
   *
   * @throws P2pError `message-too-long`, `too-slow`; `session-closed` when the session ends first: then the message may not have arrived.
   */
  async say(text: string): Promise<void> {
    if (this.#state.at === 'ending') throw this.#gone(this.#state);
    await this.#chat.say(text);
  }

  /** Ends the session on both sides, at the person's wish. Idempotent. */
  async close(): Promise<void> {
    const reason = `You ended the session with ${this.peer}.`;
    if (this.#state.at === 'open') {
      const { link } = this.#state;
      this.#state = { at: 'ending', link, code: 'closed-by-you', reason, ours: 'told' };
      await link.close({ type: 'close' });
    } else {
      this.#endLost('closed-by-you', reason, 'untold');
    }
    await this.#ended.promise;
  }

  #read(link: PeerLink): void {
    link.attach({
      onMessage: (message) => this.#onMessage(link, message),
      onData: (transfer, entry, offset, bytes, first) => this.transfers.handleData(transfer, entry, offset, bytes, first),
      onEntryEnd: (transfer, entry, status, blake3) => this.transfers.handleEntryEnd(transfer, entry, status, blake3),
      onEnd: (reason) => this.#onLinkEnd(link, reason),
    });
    if (this.#held > 0) link.pause();
  }

  #onMessage(link: PeerLink, message: PeerMessage): void {
    switch (message.type) {
      case 'chat':
      case 'chat-ack':
        this.#chat.handle(message);
        return;
      case 'close':
        this.#state = { at: 'ending', link, code: 'closed-by-peer', reason: `${this.peer} ended the session.`, ours: undefined };
        void link.close();
        return;
      case 'hello':
      case 'go':
      case 'ping':
      case 'pong':
      case 'move':
      case 'move-to':
      case 'moved':
      case 'error':
        // Answered by the link; they never come this far.
        return;
      default:
        this.transfers.handleMessage(message);
    }
  }

  /** Of a link that was replaced there is nothing to say any more. */
  #onLinkEnd(link: PeerLink, reason: P2pError | undefined): void {
    const state = this.#state;
    if (state.at === 'lost' || state.link !== link) return;
    if (state.at === 'ending') {
      void this.#finish(state);
      return;
    }
    this.#violations = reason instanceof RemoteViolation ? this.#violations + 1 : 0;
    const words = reason?.message ?? 'It was closed.';
    this.#lose(link, words);
    if (this.#violations >= peerLimits.violations) this.#endLost('link-lost', `${this.peer}'s program does not keep to the protocol: ${words}${this.#byHand}`, 'untold');
    else this.#reconnection.start(this.#introduced.direction === 'outgoing');
  }

  #lose(link: PeerLink, reason: string): void {
    this.#state = { at: 'lost' };
    this.#pastTraffic = sum(this.#pastTraffic, link.traffic);
    this.#chat.detach();
    link.destroy();
    // First, so that it explains what the transfers then tell.
    this.#emit({ event: 'session-lost', peer: this.peer, reason });
    this.#chat.tellWaiting();
    this.transfers.detach();
  }

  #onFinal(error: P2pError): void {
    if (error.code === 'session-closed') this.#endLost('closed-by-peer', `${this.peer} ended the session.`);
    else this.#endLost('link-lost', error.message);
  }

  #endLost(code: SessionEnd, reason: string, ours?: Ended['ours']): void {
    if (this.#state.at !== 'lost') return;
    const state = { at: 'ending', link: undefined, code, reason, ours } as const;
    this.#state = state;
    void this.#finish(state);
  }

  async #finish(state: State & { at: 'ending' }): Promise<void> {
    const { code, reason, ours } = state;
    this.#reconnection.stop();
    const { undelivered } = this.#chat;
    this.#chat.end(this.#gone(state));
    await this.transfers.close(code === 'link-lost' ? 'link-lost' : 'session-closed', reason);
    this.#options.onEnd(this, { code, reason, undelivered, ours });
    this.#ended.resolve(undefined);
  }

  /** Stops reading while a slow consumer catches up (HOSTILE 24); what is in the current chunk is the bound. */
  #emit(event: SessionEvent): void {
    const shown = this.#options.emit(event);
    if (shown === undefined) return;
    this.#held += 1;
    if (this.#state.at === 'open') this.#state.link.pause();
    void shown.then(() => {
      this.#held -= 1;
      if (this.#held === 0 && this.#state.at === 'open') this.#state.link.resume();
    });
  }

  /** A method, since a link may have come behind the compiler's back. */
  #isOpen(): boolean {
    return this.#state.at === 'open';
  }

  get #byHand(): string {
    return ` GET_CLIENT_INFO ${this.peer} opens a new session; SEND_FILE with the same path continues what was not finished.`;
  }

  #gone({ code, reason }: State & { at: 'ending' }): P2pError {
    const next = code === 'link-lost' ? '' : ` GET_CLIENT_INFO ${this.peer} opens a new session.`;
    return new P2pError('session-closed', `Not delivered: ${reason}${next}`);
  }
}

function portOf(link: PeerLink) {
  return { send: (message: PeerMessage) => link.send(message), sendData: (frames: Buffer) => link.sendData(frames), readMuch: () => link.readMuch() };
}

function sum(one: Traffic, other: Traffic): Traffic {
  return { sent: one.sent + other.sent, received: one.received + other.received };
}
