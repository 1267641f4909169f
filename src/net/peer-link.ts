/**
 * One peer link: messages over a connection whose TLS keys were checked, from hello through `go` to its end (PROTOCOL.md 7.3).
 *
 * Owns legality, heartbeat answers and the switch to full frames; chat and files belong to whoever attaches. How it goes over to
 * another connection is link-move.ts's business.
 */
import type { Duplex } from 'node:stream';
import { LinkLost, RemoteViolation, type P2pError } from '../protocol/errors.js';
import type { EntryStatus, FrameEvent } from '../protocol/frames.js';
import { frameLimits, peerLimits, timeLimits } from '../protocol/limits.js';
import { encodePeerMessage, nextPeerLinkState, parsePeerMessage, type PeerLinkState, type PeerMessage, type PeerMessageOf, type PeerRole } from '../protocol/peer-messages.js';
import { quoted } from '../protocol/text.js';
import { chooseVersion, FEATURES, PROTOCOL_VERSIONS } from '../protocol/version.js';
import type { Clock, Timer } from './clock.js';
import { Connection, type Traffic } from './connection.js';
import { deferred } from './deferred.js';
import { LinkMove, type LinkMover } from './link-move.js';
import { RoundTrip } from './round-trip.js';
import { readsIntoOneBuffer } from './socket-reads.js';

/** What an open link hands to its session. Handlers may throw RemoteViolation to have the link closed. */
export interface PeerLinkHandlers {
  onMessage(message: PeerMessage): void;
  /** `bytes` is a view of a buffer that is not ours: copy or use it before returning. `first` marks the piece with which a frame begins. */
  onData(transfer: number, entry: number, offset: number, bytes: Uint8Array, first: boolean): void;
  onEntryEnd(transfer: number, entry: number, status: EntryStatus, blake3: string): void;
  /** The end, exactly once. `reason` is undefined after our own close. */
  onEnd(reason: P2pError | undefined): void;
}

/** What a hello says about a session that outlived its link (PROTOCOL.md 7.3.1). */
export type Continuity = Pick<PeerMessageOf<'hello'>, 'session' | 'taken' | 'ended'>;

export interface PeerLinkOptions {
  /** Our own role. */
  readonly role: PeerRole;
  readonly clock: Clock;
  /** `ip:port` of the other end, for people. */
  readonly address: string;
  /** The other's proven key. */
  readonly fingerprint: string;
  readonly agent: string;
  /** Without it the link stays on its first connection. */
  readonly mover?: LinkMover | undefined;
}

export class PeerLink {
  readonly address: string;
  readonly fingerprint: string;
  readonly #role: PeerRole;
  readonly #agent: string;
  readonly #connection: Connection;
  readonly #hello = deferred<PeerMessageOf<'hello'>>({ quiet: true });
  readonly #go = deferred<undefined>({ quiet: true });
  readonly #helloDeadline: Timer;
  readonly #roundTrip: RoundTrip;
  #said: Continuity = {};
  #heard: Continuity = {};
  #state: PeerLinkState = 'hello';
  #handlers: PeerLinkHandlers | undefined;
  /** What came in the same chunk as `go`, until a session attaches; reading is paused, so one chunk is its bound. */
  #early: FrameEvent[] = [];
  #end: { readonly reason: P2pError | undefined } | undefined;
  readonly #ended = deferred<P2pError | undefined>();
  #move: LinkMove | undefined;
  readonly #readsCheaply: boolean;
  /** The link over which this one sends since it has moved, and from which it reads soon after. */
  #next: PeerLink | undefined;
  /** Nothing is read from the first connection any more. */
  #replaced = false;
  #held = false;

  constructor(socket: Duplex, options: PeerLinkOptions) {
    this.address = options.address;
    this.fingerprint = options.fingerprint;
    this.#role = options.role;
    this.#agent = options.agent;
    this.#readsCheaply = readsIntoOneBuffer(socket);
    this.#move = options.mover && new LinkMove(this.#moving(), options.mover, options.clock);
    this.#roundTrip = new RoundTrip(options.clock);
    this.#connection = new Connection(socket, {
      clock: options.clock,
      sendQueueBytes: peerLimits.sendQueueBytes,
      handlers: {
        onFrame: (event) => this.#onFrame(event),
        onPingDue: () => this.#ping(),
        farewell: (violation: RemoteViolation) => encodePeerMessage({ type: 'error', code: violation.code, message: violation.message }),
        onEnd: (reason) => this.#onConnectionEnd(reason),
      },
    });
    this.#helloDeadline = options.clock.after(timeLimits.peerHelloMs, () =>
      this.destroy(new LinkLost('timed-out', 'the other program did not introduce itself in time')),
    );
  }

  get open(): boolean {
    return this.#state === 'open' && this.#end === undefined && (this.#next?.open ?? this.#connection.open);
  }

  /** Resolves with the reason of the end, undefined after our own close; never rejects. */
  get ended(): Promise<P2pError | undefined> {
    return this.#ended.promise;
  }

  /** Bytes of frames so far, over every connection of this link. */
  get traffic(): Traffic {
    const [own, next] = [this.#connection.traffic, this.#next?.traffic];
    return { sent: own.sent + (next?.sent ?? 0), received: own.received + (next?.received ?? 0) };
  }

  /** Milliseconds from a ping to its answer; undefined where none comes in time. */
  measureRoundTrip(): Promise<number | undefined> {
    if (this.#next !== undefined) return this.#next.measureRoundTrip();
    if (!this.#roundTrip.awaited) this.#ping();
    return this.#roundTrip.next();
  }

  #ping(): void {
    this.#roundTrip.ping();
    this.send({ type: 'ping' });
  }

  /** What our hello said about a session, and what the other's did; empty before. */
  get said(): Continuity {
    return this.#said;
  }

  get heard(): Continuity {
    return this.#heard;
  }

  /** The session that goes on over this link, since both hellos name it; undefined: a new one begins. */
  get continues(): string | undefined {
    return this.#said.session === this.#heard.session ? this.#said.session : undefined;
  }

  sendHello(introduction: string, continuity: Continuity = {}): void {
    this.#said = continuity;
    this.send({ type: 'hello', introduction, versions: [...PROTOCOL_VERSIONS], features: [...FEATURES], agent: this.#agent, ...continuity });
  }

  /** The other's hello, its version checked. @throws LinkLost when the link ends first. */
  receiveHello(): Promise<PeerMessageOf<'hello'>> {
    return this.#hello.promise;
  }

  /** Asker: this is the link. */
  sendGo(): void {
    this.send({ type: 'go' });
    this.#open();
  }

  /** Answerer: resolves when the asker has chosen this link. @throws LinkLost when it ends first. */
  receiveGo(): Promise<undefined> {
    return this.#go.promise;
  }

  /** Hands the open link to its session, what came early first. */
  attach(handlers: PeerLinkHandlers): void {
    this.#handlers = handlers;
    if (this.#end !== undefined) {
      handlers.onEnd(this.#end.reason);
      return;
    }
    const early = this.#early;
    this.#early = [];
    this.#connection.replay(early);
    this.#connection.resume();
  }

  /** A lot will come: where reading is dear on this connection, the link moves to a better one in passing, if there is one. */
  readMuch(): void {
    if (this.open && !this.#readsCheaply) this.#move?.ask();
  }

  send(message: PeerMessage): void {
    if (this.#next === undefined) this.#connection.send(encodePeerMessage(message));
    else this.#next.send(message);
  }

  /** Stops reading until {@link resume}; the other side is held back by TCP, the heartbeat goes on. */
  pause(): void {
    this.#held = true;
    this.#reading.pause();
  }

  resume(): void {
    this.#held = false;
    this.#reading.resume();
  }

  /** See {@link Connection.sendData}. */
  sendData(frames: Uint8Array): Promise<void> {
    return (this.#next ?? this.#connection).sendData(frames);
  }

  /** Ends politely, with `last` as last word. Idempotent. */
  close(last?: PeerMessage): Promise<void> {
    if (this.#next === undefined) return this.#connection.close(last && encodePeerMessage(last));
    void this.#connection.close();
    return this.#next.close(last);
  }

  destroy(reason?: P2pError): void {
    this.#next?.destroy(reason);
    this.#connection.destroy(reason);
  }

  #onFrame(event: FrameEvent): void {
    if (this.#state === 'open' && this.#handlers === undefined) {
      // The chunk that it is a view of may be overwritten.
      this.#early.push(kept(event));
      return;
    }
    if (event.kind === 'data') {
      this.#handlers?.onData(event.transfer, event.entry, event.offset, event.bytes, event.first);
      return;
    }
    if (event.kind === 'end') {
      this.#handlers?.onEntryEnd(event.transfer, event.entry, event.status, event.blake3);
      return;
    }
    const message = parsePeerMessage(event.body);
    const state = nextPeerLinkState(this.#state, this.#role === 'asker' ? 'answerer' : 'asker', message.type);
    switch (message.type) {
      case 'hello':
        chooseVersion(message.versions);
        this.#state = state;
        this.#heard = message;
        this.#helloDeadline.stop();
        this.#hello.resolve(message);
        return;
      case 'go':
        this.#open();
        this.#go.resolve(undefined);
        return;
      case 'ping':
        this.send({ type: 'pong' });
        return;
      case 'pong':
        this.#roundTrip.pong();
        return;
      case 'error':
        this.destroy(new LinkLost('link-lost', `it says: ${quoted(message.message)}`));
        return;
      case 'move':
      case 'move-to':
      case 'moved':
        if (this.#move === undefined) throw new RemoteViolation('unexpected-message', `"${message.type}" is not allowed on this connection.`);
        this.#move.handle(message);
        return;
      default:
        this.#handlers?.onMessage(message);
    }
  }

  /** Reading stops until a session attaches. */
  #open(): void {
    this.#state = 'open';
    this.#connection.setLimits({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
    this.#connection.pause();
  }

  /** Where frames come from that go to the handlers. */
  get #reading(): Connection | PeerLink {
    return this.#next !== undefined && this.#replaced ? this.#next : this.#connection;
  }

  #moving() {
    return {
      address: this.address,
      fingerprint: this.fingerprint,
      received: () => this.#connection.traffic.received,
      held: () => this.#held,
      send: (message: PeerMessage) => this.#connection.send(encodePeerMessage(message)),
      sendOver: (next: PeerLink) => this.#sendOver(next),
      readOver: () => this.#readOver(),
      fail: (reason: P2pError | undefined) => this.#fail(reason),
    };
  }

  #sendOver(next: PeerLink): void {
    // A link moves once: whoever could send it from one connection to the next would make it a chain without end.
    next.#move = undefined;
    this.#next = next;
    if (this.#end !== undefined) next.destroy(this.#end.reason);
  }

  #readOver(): void {
    const [next, handlers] = [this.#next, this.#handlers];
    if (next === undefined || handlers === undefined) return;
    this.#replaced = true;
    // The other has yet to read what we have sent there; should it never do that, the end of the link is the end of this one.
    this.#connection.finish();
    // That it has ended is told by its `ended`.
    next.attach({ ...handlers, onEnd: () => undefined });
    if (this.#held) next.pause();
  }

  #fail(reason: P2pError | undefined): void {
    this.#onEnd(reason);
    this.destroy(reason);
  }

  #onConnectionEnd(reason: P2pError | undefined): void {
    if (this.#next !== undefined && (this.#replaced || this.#move?.firstMayEnd === true)) return;
    this.#onEnd(reason);
    this.#next?.destroy(reason);
  }

  #onEnd(reason: P2pError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    this.#move?.end();
    this.#ended.resolve(reason);
    this.#helloDeadline.stop();
    this.#roundTrip.end();
    const error = reason ?? new LinkLost('link-lost', 'the connection was closed');
    this.#hello.reject(error);
    this.#go.reject(error);
    this.#handlers?.onEnd(reason);
  }
}

/** With bytes of its own. */
function kept(event: FrameEvent): FrameEvent {
  if (event.kind === 'data') return { ...event, bytes: Uint8Array.from(event.bytes) };
  return event.kind === 'json' ? { ...event, body: Uint8Array.from(event.body) } : event;
}
