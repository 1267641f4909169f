/**
 * A session: the chat with one peer over its peer link, with the transfers that belong to it (PROTOCOL.md 7.4, 7.5).
 *
 * Owns message numbers, acknowledgements and the end of the session; which session is current is the engine's business.
 */
import type { Clock } from '../net/clock.js';
import { deferred, type Deferred } from '../net/deferred.js';
import type { PeerLink } from '../net/peer-link.js';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import { frameLimits, peerLimits, textLimits } from '../protocol/limits.js';
import { encodePeerMessage, type PeerMessage } from '../protocol/peer-messages.js';
import type { TransferEvent } from '../transfer/events.js';
import { TransferManager } from '../transfer/manager.js';
import type { ReceiveStore } from '../transfer/receive-store.js';
import type { ClientEventOf, SessionEnd } from './api.js';
import type { Introduced } from './introductions.js';
import type { AcceptPolicy } from './options.js';

export interface SessionOptions {
  readonly introduced: Introduced;
  readonly clock: Clock;
  readonly accept: AcceptPolicy;
  readonly store: ReceiveStore;
  /** The next number under which a person addresses a transfer; shared by all sessions. */
  nextTransferId(): number;
  /** A promise asks to be sent no more until it resolves: whoever shows the events is slower than the peer. */
  emit(event: ClientEventOf<'message'> | TransferEvent): void | Promise<void>;
  /** Exactly once, after every transfer has failed or ended. */
  onEnd(session: Session, end: { readonly code: SessionEnd; readonly reason: string; readonly undelivered: number }): void;
}

type State = { readonly at: 'open' } | { readonly at: 'ending'; readonly code: SessionEnd; readonly reason: string };

export class Session {
  readonly peer: string;
  readonly introduced: Introduced;
  readonly transfers: TransferManager;
  readonly #options: SessionOptions;
  readonly #link: PeerLink;
  readonly #ended = deferred<undefined>();
  /** Sent and not acknowledged, by number. */
  readonly #unacknowledged = new Map<number, Deferred<undefined>>();
  /** Callers of `say` that wait for room. */
  readonly #waiting: Deferred<undefined>[] = [];
  #state: State = { at: 'open' };
  #lastSent = 0;
  /** Events that the consumer has not taken yet. */
  #held = 0;
  #lastTaken = 0;

  constructor(options: SessionOptions) {
    const { introduced, clock, accept, store } = options;
    this.#options = options;
    this.introduced = introduced;
    this.peer = introduced.peer;
    this.#link = introduced.link;
    this.transfers = new TransferManager({
      peer: this.peer,
      port: { send: (message) => this.#link.send(message), sendData: (frames) => this.#link.sendData(frames) },
      store,
      policy: accept,
      nextId: () => options.nextTransferId(),
      emit: (event) => this.#emit(event),
      clock,
    });
  }

  /** False from the moment at which the session begins to end. */
  get open(): boolean {
    return this.#state.at === 'open';
  }

  /** Resolves when the session has ended and its engine knows. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** Begins to read from the link; called once, when the session is known to its engine. */
  start(): void {
    this.#link.attach({
      onMessage: (message) => this.#onMessage(message),
      onData: (transfer, offset, bytes) => this.transfers.handleData(transfer, offset, bytes),
      onEnd: (reason) => void this.#onEnd(reason),
    });
  }

  /**
   * Sends one message; resolves once the peer has acknowledged it.
   *
   * @throws P2pError `message-too-long`; `session-closed` when the session ends first: then the message may not have arrived.
   */
  async say(text: string): Promise<void> {
    checkLength(text);
    while (this.#unacknowledged.size >= peerLimits.unacknowledgedMessages) {
      const room = deferred<undefined>();
      this.#waiting.push(room);
      await room.promise;
    }
    if (this.#state.at !== 'open') throw this.#gone();
    const number = ++this.#lastSent;
    const acknowledged = deferred<undefined>();
    this.#unacknowledged.set(number, acknowledged);
    this.#link.send({ type: 'chat', number, text });
    this.#emit({ event: 'message', peer: this.peer, direction: 'out', text });
    await acknowledged.promise;
  }

  /** Ends the session on both sides. Idempotent. */
  async close(code: SessionEnd, reason: string): Promise<void> {
    if (this.#state.at === 'open') {
      this.#state = { at: 'ending', code, reason };
      await this.#link.close({ type: 'close' });
    }
    await this.#ended.promise;
  }

  #onMessage(message: PeerMessage): void {
    switch (message.type) {
      case 'chat':
        if (message.number > this.#lastTaken + 1) throw new RemoteViolation('bad-message', 'A chat message is missing.');
        if (message.number === this.#lastTaken + 1) {
          this.#lastTaken = message.number;
          this.#emit({ event: 'message', peer: this.peer, direction: 'in', text: message.text });
        }
        this.#link.send({ type: 'chat-ack', number: message.number });
        return;
      case 'chat-ack':
        this.#acknowledged(message.number);
        return;
      case 'close':
        this.#state = { at: 'ending', code: 'closed-by-peer', reason: `${this.peer} ended the session.` };
        void this.#link.close();
        return;
      case 'offer':
      case 'accept':
      case 'reject':
      case 'credit':
      case 'done':
      case 'verified':
      case 'cancel':
        this.transfers.handleMessage(message);
        return;
      case 'hello':
      case 'go':
      case 'ping':
      case 'pong':
      case 'error':
        // Answered by the link; they never come this far.
        return;
    }
  }

  /** Only an acknowledgement that makes room wakes a caller: one woken for nothing would queue again behind later ones. */
  #acknowledged(number: number): void {
    const message = this.#unacknowledged.get(number);
    if (message === undefined) return;
    message.resolve(undefined);
    this.#unacknowledged.delete(number);
    this.#waiting.shift()?.resolve(undefined);
  }

  async #onEnd(reason: P2pError | undefined): Promise<void> {
    if (this.#state.at === 'open') {
      this.#state = { at: 'ending', code: 'link-lost', reason: `The connection to ${this.peer} was lost: ${reason?.message ?? 'it was closed'}` };
    }
    const { code, reason: words } = this.#state;
    const undelivered = this.#unacknowledged.size + this.#waiting.length;
    for (const message of this.#unacknowledged.values()) message.reject(this.#gone());
    for (const caller of this.#waiting.splice(0)) caller.resolve(undefined);
    this.#unacknowledged.clear();
    await this.transfers.close(code === 'link-lost' ? 'link-lost' : 'session-closed', words);
    this.#options.onEnd(this, { code, reason: words, undelivered });
    this.#ended.resolve(undefined);
  }

  /** Stops reading while a slow consumer catches up (HOSTILE 24); what is in the current chunk is the bound. */
  #emit(event: ClientEventOf<'message'> | TransferEvent): void {
    const shown = this.#options.emit(event);
    if (shown === undefined) return;
    this.#held += 1;
    this.#link.pause();
    void shown.then(() => {
      this.#held -= 1;
      if (this.#held === 0) this.#link.resume();
    });
  }

  #gone(): P2pError {
    const reason = this.#state.at === 'ending' ? this.#state.reason : '';
    return new P2pError('session-closed', `Not delivered: ${reason} GET_CLIENT_INFO ${this.peer} opens a new session.`);
  }
}

function checkLength(text: string): void {
  if (text === '') throw new P2pError('bad-argument', 'The message is empty.');
  const bytes = Buffer.byteLength(text);
  const frame = encodePeerMessage({ type: 'chat', number: Number.MAX_SAFE_INTEGER, text }).length;
  if (bytes > textLimits.chatBytes || frame > frameLimits.controlBytes) {
    throw new P2pError('message-too-long', `The message has ${bytes} bytes; ${textLimits.chatBytes} are allowed. Send it in parts, or as a file with SEND_FILE.`);
  }
}
