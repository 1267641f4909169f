/**
 * One connection to the server: TLS, trust in its key, hello, requests and their replies (PROTOCOL.md 5.1, 5).
 *
 * Lives as long as its socket; re-making it is the business of server-link-keeper.ts, logging in that of login.ts.
 */
import { debuglog } from 'node:util';
import { Connection, type ConnectionHandlers } from '../net/connection.js';
import type { Clock } from '../net/clock.js';
import { deferred, type Deferred } from '../net/deferred.js';
import { dialTcp } from '../net/dial.js';
import { connectTls, isTrustedBySystem, peerFingerprint, tlsContext } from '../net/tls.js';
import { formatEndpoint } from '../protocol/candidates.js';
import { errorText, LinkLost, P2pError, RemoteViolation, RequestRefused } from '../protocol/errors.js';
import { frameLimits, peerLimits, timeLimits } from '../protocol/limits.js';
import {
  encodeServerLinkMessage,
  parseServerMessage,
  type ClientMessage,
  type ServerMessage,
  type ServerMessageOf,
} from '../protocol/server-messages.js';
import { chooseVersion, PROTOCOL_VERSIONS, SERVER_ALPN, SERVER_FEATURES } from '../protocol/version.js';
import { channelExporter } from '../security/channel.js';
import type { ServerTrust } from './api.js';

const debug = debuglog('p2p-server-link');

type Request = Extract<ClientMessage, { id: number }>;
type Reply = ServerMessageOf<'name-free' | 'register-response' | 'registered' | 'login-response' | 'welcome' | 'clients' | 'away-set' | 'watching' | 'introduction'>;
/** What comes without having been asked for. */
type Pushed = ServerMessageOf<'asked' | 'introduction' | 'presence'>;
/** A request as callers write it: the link adds the id. */
export type Asked<TRequest extends Request = Request> = TRequest extends Request ? Omit<TRequest, 'id'> : never;

export interface ServerLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly agent: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Decides about the server's key before a byte is exchanged inside TLS. @throws P2pError `server-key-changed`. */
  judge(fingerprint: string, trustedBySystem: boolean): Promise<ServerTrust>;
}

export interface ServerLinkHandlers {
  onAsked(message: ServerMessageOf<'asked'>): void;
  /** An introduction in which this client is the answerer. */
  onIntroduction(message: ServerMessageOf<'introduction'>): void;
  /** Somebody who is watched has come, gone or changed. */
  onPresence(message: ServerMessageOf<'presence'>): void;
  /** Exactly once; `reason` is undefined after our own close. */
  onEnd(reason: P2pError | undefined): void;
}

export class ServerLink {
  readonly fingerprint: string;
  readonly trust: ServerTrust;
  /** Channel binding of this very connection (PROTOCOL.md 6). */
  readonly exporter: Buffer;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #hello = deferred<undefined>({ quiet: true });
  readonly #replies = new Map<number, Deferred<Reply>>();
  /** Pushed before somebody attached; at most as many as there may be sessions. */
  readonly #early: Pushed[] = [];
  #features: readonly string[] = [];
  #nextId = 1;
  #handlers: ServerLinkHandlers | undefined;
  #end: { readonly reason: P2pError | undefined } | undefined;

  private constructor(connect: (handlers: ConnectionHandlers) => Connection, key: { fingerprint: string; trust: ServerTrust; exporter: Buffer }, clock: Clock) {
    this.fingerprint = key.fingerprint;
    this.trust = key.trust;
    this.exporter = key.exporter;
    this.#clock = clock;
    this.#connection = connect({
      onFrame: (event) => {
        if (event.kind === 'json') this.#onMessage(parseServerMessage(event.body));
      },
      onPingDue: () => this.send({ type: 'ping' }),
      // The server learns nothing from our view of its mistakes; the person does, through the end.
      farewell: () => undefined,
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  /** @throws P2pError `cannot-connect`, `server-key-changed`, `unsupported-version`. */
  static async open(options: ServerLinkOptions): Promise<ServerLink> {
    const { host, port, clock, signal } = options;
    try {
      const raw = await dialTcp({ host, port, clock, signal });
      const socket = await connectTls(raw, { context: tlsContext(undefined), alpn: SERVER_ALPN, clock, serverName: host, signal });
      const fingerprint = peerFingerprint(socket);
      if (fingerprint === undefined) throw new LinkLost('cannot-connect', 'it showed no certificate');
      let trust: ServerTrust;
      try {
        trust = await options.judge(fingerprint, isTrustedBySystem(socket, host));
      } catch (error) {
        socket.destroy();
        throw error;
      }
      // While it was judged; its end has been told already, and its keys are gone.
      if (socket.destroyed) throw new LinkLost('link-lost', 'it closed the connection after the TLS handshake');
      const link = new ServerLink(
        (handlers) => new Connection(socket, { clock, handlers, sendQueueBytes: peerLimits.sendQueueBytes }),
        { fingerprint, trust, exporter: channelExporter(socket) },
        clock,
      );
      await link.#sayHello(options.agent);
      return link;
    } catch (error) {
      if (!(error instanceof LinkLost) && !(error instanceof RemoteViolation)) throw error;
      throw new P2pError('cannot-connect', `Cannot connect to ${formatEndpoint(host, port)}: ${errorText(error)}.`.replace(/\.\.$/u, '.'), { cause: error });
    }
  }

  get open(): boolean {
    return this.#connection.open;
  }

  /** Whether a feature is in force (PROTOCOL.md 5.1). */
  supports(feature: string): boolean {
    return this.#features.includes(feature);
  }

  /** Hands pushed messages and the end to their consumer, what came since the login first. */
  attach(handlers: ServerLinkHandlers): void {
    this.#handlers = handlers;
    for (const message of this.#early.splice(0)) this.#push(message, handlers);
    if (this.#end !== undefined) handlers.onEnd(this.#end.reason);
  }

  /** From the login on, the server may send large frames. */
  setLoggedIn(): void {
    this.#connection.setLimits({ maxJsonBytes: frameLimits.controlBytes, allowData: false });
  }

  send(message: ClientMessage): void {
    debug('send %s', message.type);
    this.#connection.send(encodeServerLinkMessage(message));
  }

  /**
   * Sends a request and waits for the reply of type `expect`.
   *
   * @throws RequestRefused with the server's words; LinkLost when the link ends or nothing comes within {@link timeLimits.requestMs}.
   */
  async request<TType extends Reply['type']>(request: Asked, expect: TType): Promise<Extract<Reply, { type: TType }>> {
    if (this.#end !== undefined) throw this.#lost();
    const id = this.#nextId++;
    const reply = deferred<Reply>();
    this.#replies.set(id, reply);
    const timer = this.#clock.after(timeLimits.requestMs, () => reply.reject(new LinkLost('timed-out', 'The server did not answer in time. Try again.')));
    try {
      this.send({ ...request, id });
      const message = await reply.promise;
      if (message.type !== expect) throw new LinkLost('link-lost', 'The server gave an answer that does not fit the question.');
      return message as Extract<Reply, { type: TType }>;
    } finally {
      timer.stop();
      this.#replies.delete(id);
    }
  }

  /** Says bye and ends. Idempotent. */
  close(): Promise<void> {
    return this.#connection.close(encodeServerLinkMessage({ type: 'bye' }));
  }

  async #sayHello(agent: string): Promise<void> {
    this.send({ type: 'hello', versions: [...PROTOCOL_VERSIONS], features: [...SERVER_FEATURES], agent });
    const timer = this.#clock.after(timeLimits.tlsHandshakeMs, () => this.#connection.destroy(new LinkLost('timed-out', 'it did not answer hello')));
    await this.#hello.promise;
    timer.stop();
  }

  #onMessage(message: ServerMessage): void {
    debug('received %s', message.type);
    switch (message.type) {
      case 'hello':
        chooseVersion([message.version]);
        this.#features = message.features.filter((feature) => SERVER_FEATURES.includes(feature));
        this.#hello.resolve(undefined);
        return;
      case 'ping':
        this.send({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'bye':
        this.#connection.destroy(new LinkLost(message.code, message.message));
        return;
      case 'asked':
      case 'presence':
        this.#pushed(message);
        return;
      case 'introduction':
        if (message.id === undefined) this.#pushed(message);
        else this.#settle(message.id, (reply) => reply.resolve(message));
        return;
      case 'error': {
        const refusal = new RequestRefused(message.code, message.message);
        if (message.id === undefined) this.#connection.destroy(new LinkLost(message.code, message.message));
        else this.#settle(message.id, (reply) => reply.reject(refusal));
        return;
      }
      default:
        this.#settle(message.id, (reply) => reply.resolve(message));
    }
  }

  /** Others may ask for this client from the moment the server has logged it in, while it still sets itself up. */
  #pushed(message: Pushed): void {
    if (this.#handlers !== undefined) this.#push(message, this.#handlers);
    else if (this.#early.length < peerLimits.sessions) this.#early.push(message);
  }

  #push(message: Pushed, handlers: ServerLinkHandlers): void {
    if (message.type === 'asked') handlers.onAsked(message);
    else if (message.type === 'presence') handlers.onPresence(message);
    else handlers.onIntroduction(message);
  }

  /** A reply to nothing is one that came after its time-out. */
  #settle(id: number, action: (reply: Deferred<Reply>) => void): void {
    const reply = this.#replies.get(id);
    if (reply !== undefined) action(reply);
  }

  #onEnd(reason: P2pError | undefined): void {
    debug('ended: %s', reason?.message);
    this.#end = { reason };
    const error = this.#lost();
    this.#hello.reject(error);
    for (const reply of this.#replies.values()) reply.reject(error);
    this.#handlers?.onEnd(reason);
  }

  #lost(): LinkLost {
    const reason = this.#end?.reason;
    return reason instanceof LinkLost ? reason : new LinkLost('link-lost', 'The connection to the server is closed.', { cause: reason });
  }
}
