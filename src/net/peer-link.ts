/**
 * One peer link: messages over a connection whose TLS keys were checked, from hello through `go` to its end (PROTOCOL.md 7.3).
 *
 * Owns legality, heartbeat answers and the switch to full frames; chat and files belong to whoever attaches.
 */
import type { Duplex } from 'node:stream';
import { LinkLost, type P2pError, type RemoteViolation } from '../protocol/errors.js';
import type { EntryStatus, FrameEvent } from '../protocol/frames.js';
import { frameLimits, peerLimits, timeLimits } from '../protocol/limits.js';
import { encodePeerMessage, nextPeerLinkState, parsePeerMessage, type PeerLinkState, type PeerMessage, type PeerMessageOf, type PeerRole } from '../protocol/peer-messages.js';
import { quoted } from '../protocol/text.js';
import { chooseVersion, FEATURES, PROTOCOL_VERSIONS } from '../protocol/version.js';
import type { Clock, Timer } from './clock.js';
import { Connection } from './connection.js';
import { deferred } from './deferred.js';

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
  #said: Continuity = {};
  #heard: Continuity = {};
  #state: PeerLinkState = 'hello';
  #handlers: PeerLinkHandlers | undefined;
  /** What came in the same chunk as `go`, until a session attaches; reading is paused, so one chunk is its bound. */
  #early: FrameEvent[] = [];
  #end: { readonly reason: P2pError | undefined } | undefined;

  constructor(socket: Duplex, options: PeerLinkOptions) {
    this.address = options.address;
    this.fingerprint = options.fingerprint;
    this.#role = options.role;
    this.#agent = options.agent;
    this.#connection = new Connection(socket, {
      clock: options.clock,
      sendQueueBytes: peerLimits.sendQueueBytes,
      handlers: {
        onFrame: (event) => this.#onFrame(event),
        onPingDue: () => this.send({ type: 'ping' }),
        farewell: (violation: RemoteViolation) => encodePeerMessage({ type: 'error', code: violation.code, message: violation.message }),
        onEnd: (reason) => this.#onEnd(reason),
      },
    });
    this.#helloDeadline = options.clock.after(timeLimits.peerHelloMs, () =>
      this.destroy(new LinkLost('timed-out', 'the other program did not introduce itself in time')),
    );
  }

  get open(): boolean {
    return this.#state === 'open' && this.#connection.open;
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

  send(message: PeerMessage): void {
    this.#connection.send(encodePeerMessage(message));
  }

  /** Stops reading until {@link resume}; the other side is held back by TCP, the heartbeat goes on. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** See {@link Connection.sendData}. */
  sendData(frames: Uint8Array): Promise<void> {
    return this.#connection.sendData(frames);
  }

  /** Ends politely, with `last` as last word. Idempotent. */
  close(last?: PeerMessage): Promise<void> {
    return this.#connection.close(last && encodePeerMessage(last));
  }

  destroy(reason?: P2pError): void {
    this.#connection.destroy(reason);
  }

  #onFrame(event: FrameEvent): void {
    if (this.#state === 'open' && this.#handlers === undefined) {
      this.#early.push(event);
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
        return;
      case 'error':
        this.destroy(new LinkLost('link-lost', `it says: ${quoted(message.message)}`));
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

  #onEnd(reason: P2pError | undefined): void {
    this.#end = { reason };
    this.#helloDeadline.stop();
    const error = reason ?? new LinkLost('link-lost', 'the connection was closed');
    this.#hello.reject(error);
    this.#go.reject(error);
    this.#handlers?.onEnd(reason);
  }
}
