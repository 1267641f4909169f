/**
 * The chat of one session, both directions: numbers, acknowledgements, what is sent again after a break (PROTOCOL.md 7.4, 7.3.1).
 *
 * Knows no link and no end of a session: its owner says to whom to send, and when nothing can be delivered any more.
 */
import type { Clock } from '../net/clock.js';
import { deferred, type Deferred } from '../net/deferred.js';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import { frameLimits, peerLimits, textLimits, timeLimits } from '../protocol/limits.js';
import { encodePeerMessage, type PeerMessage, type PeerMessageOf } from '../protocol/peer-messages.js';
import type { DeliveryState } from './api.js';

type ChatMessage = PeerMessageOf<'chat' | 'chat-ack'>;

export interface ChatOptions {
  readonly peer: string;
  readonly clock: Clock;
  /** A message has come, each exactly once and in order. */
  onHeard(text: string): void;
  /** A message has been said here. `serial` counts them from 1 and, other than the number on the link, never changes. */
  onSaid(serial: number, text: string): void;
  /** What became of one that was said; that it went out at once is not told. */
  onState(serial: number, state: DeliveryState): void;
}

interface Said {
  readonly serial: number;
  readonly text: string;
  /** Of its frame. */
  readonly bytes: number;
  readonly acknowledged: Deferred<undefined>;
}

export class Chat {
  readonly #options: ChatOptions;
  /** Said and not acknowledged, by number and so in order; the numbers have no gap. */
  #said = new Map<number, Said>();
  #lastNumber = 0;
  #lastSerial = 0;
  /** Of those in `#said`: the first that has not been sent on this link. */
  #nextToSend = 1;
  #inFlightBytes = 0;
  #lastTaken = 0;
  #send: ((message: PeerMessage) => void) | undefined;
  /** When something was acknowledged last, or nothing was waiting for it. */
  #movedAt: number;
  #ended: P2pError | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#movedAt = options.clock.now();
  }

  /** The number of the last message taken from the peer. */
  get taken(): number {
    return this.#lastTaken;
  }

  /** Messages without acknowledgement. */
  get undelivered(): number {
    return this.#said.size;
  }

  /**
   * Says one message; resolves once the peer has acknowledged it, on this link or on a later one.
   *
   * @throws P2pError `bad-argument`, `message-too-long`; `too-slow` while too many wait for a peer who confirms none; what {@link end} was given.
   */
  async say(text: string): Promise<void> {
    const bytes = checkedBytes(text);
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#said.size >= peerLimits.undeliveredMessages && this.#stuck) {
      const { peer } = this.#options;
      throw new P2pError('too-slow', `Not sent: ${this.#said.size} messages already wait for ${peer}, whose program confirms none. Try again when it does, or end the session with CLOSE_SESSION.`);
    }
    if (this.#said.size === 0) this.#movedAt = this.#options.clock.now();
    const acknowledged = deferred<undefined>({ quiet: true });
    const serial = ++this.#lastSerial;
    this.#said.set(++this.#lastNumber, { serial, text, bytes, acknowledged });
    this.#pump();
    this.#options.onSaid(serial, text);
    if (this.#send === undefined) this.#options.onState(serial, 'waiting');
    await acknowledged.promise;
  }

  /** A link is there on which the same session goes on: what the peer has not taken is sent again. */
  continue(taken: number, send: (message: PeerMessage) => void): void {
    this.#acknowledge(taken);
    this.#restart(send);
  }

  /** A link to a program that knows nothing of this session: what was not acknowledged is sent again, under new numbers. */
  begin(send: (message: PeerMessage) => void): void {
    this.#said = new Map([...this.#said.values()].map((said, index) => [index + 1, said]));
    this.#lastNumber = this.#said.size;
    this.#lastTaken = 0;
    this.#restart(send);
  }

  /** The link is gone; what is said waits for the next. */
  detach(): void {
    this.#send = undefined;
  }

  /** After {@link detach}, once it was told that the link is gone. */
  tellWaiting(): void {
    for (const { serial } of this.#said.values()) this.#options.onState(serial, 'waiting');
  }

  /** Nothing can be delivered any more. */
  end(error: P2pError): void {
    this.#ended = error;
    this.#send = undefined;
    for (const { serial, acknowledged } of this.#said.values()) {
      acknowledged.reject(error);
      this.#options.onState(serial, 'undelivered');
    }
    this.#said.clear();
  }

  /** @throws RemoteViolation `bad-message` where a number is left out. */
  handle(message: ChatMessage): void {
    const { number } = message;
    if (message.type === 'chat-ack') {
      if (number < this.#nextToSend) this.#acknowledge(number);
      this.#pump();
      return;
    }
    if (number > this.#lastTaken + 1) throw new RemoteViolation('bad-message', 'A chat message is missing.');
    if (number === this.#lastTaken + 1) {
      this.#lastTaken = number;
      this.#options.onHeard(message.text);
    }
    this.#send?.({ type: 'chat-ack', number });
  }

  /** Whether waiting is without hope for the moment: there is no link, or nobody at its other end who confirms. */
  get #stuck(): boolean {
    return this.#send === undefined || this.#options.clock.now() - this.#movedAt >= timeLimits.sendStallMs;
  }

  /** The peer takes messages in order, so that one number speaks for all before it. */
  #acknowledge(upTo: number): void {
    for (const [number, said] of this.#said) {
      if (number > upTo) return;
      this.#said.delete(number);
      this.#inFlightBytes -= said.bytes;
      this.#movedAt = this.#options.clock.now();
      said.acknowledged.resolve(undefined);
      this.#options.onState(said.serial, 'delivered');
    }
  }

  #restart(send: (message: PeerMessage) => void): void {
    this.#send = send;
    this.#nextToSend = this.#said.keys().next().value ?? this.#lastNumber + 1;
    this.#inFlightBytes = 0;
    this.#movedAt = this.#options.clock.now();
    for (const { serial } of this.#said.values()) this.#options.onState(serial, 'sent');
    this.#pump();
  }

  #pump(): void {
    for (;;) {
      const next = this.#said.get(this.#nextToSend);
      const first = this.#said.keys().next().value ?? this.#nextToSend;
      if (this.#send === undefined || next === undefined || this.#nextToSend - first >= peerLimits.unacknowledgedMessages) return;
      if (this.#inFlightBytes > 0 && this.#inFlightBytes + next.bytes > peerLimits.chatInFlightBytes) return;
      this.#inFlightBytes += next.bytes;
      this.#send({ type: 'chat', number: this.#nextToSend++, text: next.text });
    }
  }
}

/** Bytes of the frame. @throws P2pError `bad-argument`, `message-too-long`. */
function checkedBytes(text: string): number {
  if (text === '') throw new P2pError('bad-argument', 'The message is empty.');
  const bytes = Buffer.byteLength(text);
  const frame = encodePeerMessage({ type: 'chat', number: Number.MAX_SAFE_INTEGER, text }).length;
  if (bytes <= textLimits.chatBytes && frame <= frameLimits.controlBytes) return frame;
  throw new P2pError('message-too-long', `The message has ${bytes} bytes; ${textLimits.chatBytes} are allowed. Send it in parts, or as a file with SEND_FILE.`);
}
