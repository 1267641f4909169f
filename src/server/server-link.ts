/**
 * One client's link, from the end of its TLS handshake to its end: states, order, deadlines and budgets (PROTOCOL.md 5).
 *
 * Messages of one link are taken one after the other, each to its end, so that the state of PROTOCOL.md 5.6 is always that after
 * the last answer. What a message means is decided in registration.ts, login.ts, introductions.ts and the backend.
 */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { plainAddress, type Seen } from '../protocol/candidates.js';
import { errorText, P2pError, RemoteViolation, RequestRefused, type WireCode } from '../protocol/errors.js';
import type { Reach } from '../protocol/fields.js';
import type { FrameEvent } from '../protocol/frames.js';
import { frameLimits, serverLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import {
  encodeServerLinkMessage,
  nextServerLinkState,
  parseClientMessage,
  type ClientMessage,
  type ClientMessageOf,
  type ServerLinkState,
  type ServerMessage,
} from '../protocol/server-messages.js';
import { chooseVersion, SERVER_FEATURES } from '../protocol/version.js';
import { Connection } from '../net/connection.js';
import type { Clock, Timer } from '../net/clock.js';
import { channelExporter } from '../security/channel.js';
import { fingerprintOf } from '../security/identity.js';
import type { Account, Backend, LinkAddress, RoutedMessage } from './backend.js';
import type { Asker, Introductions } from './introductions.js';
import type { Log } from './log.js';
import { Login } from './login.js';
import { PendingAsks } from './pending-asks.js';
import type { Rates } from './rates.js';
import { Registration } from './registration.js';
import { fullBucket, takeToken, type Bucket, type BucketRule } from './token-bucket.js';
import type { Turns } from './turns.js';
import { awayTexts, type Watches } from './watches.js';

/** What all links share. */
export interface LinkServices {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly log: Log;
  /** Program and version, as hello tells it. */
  readonly agent: string;
  readonly turns: Turns;
  readonly introductions: Introductions;
  readonly watches: Watches;
  readonly loginFailures: Rates;
}

export interface ServerLinkOptions {
  readonly socket: TLSSocket;
  readonly services: LinkServices;
  /** Counts registrations of this address; undefined where it is exempt. */
  readonly registrationQuota: { readonly rates: Rates; readonly key: string } | undefined;
  /** The client has logged in. */
  readonly onReady: () => void;
  /** The end, exactly once. `reason` is undefined when this side ended it in an orderly way. */
  readonly onEnd: (reason: P2pError | undefined) => void;
}

const REQUESTS: BucketRule = { burst: serverLimits.requestBurst, perSecond: serverLimits.requestsPerSecond };
/** Everything that is sent, pings and refused requests too: who goes beyond that is not using the protocol but the server. */
const MESSAGES: BucketRule = { burst: serverLimits.messageBurst, perSecond: serverLimits.messagesPerSecond };

/** Messages read and not yet taken, after which reading waits. */
const INBOX_MESSAGES = serverLimits.inboxMessages;

export class ServerLink {
  /** Unique among all links of the service. */
  readonly id = randomBytes(12).toString('base64url');
  readonly #options: ServerLinkOptions;
  readonly #connection: Connection;
  readonly #seen: Seen;
  readonly #observed: { readonly address: string; readonly port: number };
  readonly #loginDeadline: Timer;
  readonly #asks: PendingAsks;
  readonly #registration: Registration;
  readonly #login: Login;
  readonly #inbox: ClientMessage[] = [];
  #working = false;
  #state: ServerLinkState = 'hello';
  #self: Asker | undefined;
  #requests: Bucket;
  #messages: Bucket;
  /** Questions put to this client: their answers cost it nothing, or whoever asks often enough could have its link ended. */
  #answersDue = 0;

  /** Takes over `socket`, whose handshake is done. */
  constructor(options: ServerLinkOptions) {
    this.#options = options;
    const { socket, services, registrationQuota: quota } = options;
    const { backend, clock, turns, loginFailures: failures } = services;
    this.#seen = { address: plainAddress(socket.remoteAddress ?? ''), local: plainAddress(socket.localAddress ?? '') };
    this.#observed = { address: this.#seen.address, port: socket.remotePort ?? 0 };
    const exporter = channelExporter(socket);
    this.#registration = new Registration({ backend, turns, exporter, quota });
    this.#login = new Login({ backend, turns, exporter, failures });
    this.#asks = new PendingAsks(clock);
    this.#requests = fullBucket(REQUESTS, clock.now());
    this.#messages = fullBucket(MESSAGES, clock.now());
    this.#connection = new Connection(socket, {
      clock,
      sendQueueBytes: serverLimits.sendQueueBytes,
      sendStallMs: timeLimits.sendStallMs,
      handlers: {
        onFrame: (event) => this.#onFrame(event),
        onPingDue: () => this.#send({ type: 'ping' }),
        farewell: ({ code, message }) => encodeServerLinkMessage({ type: 'bye', code: code, message }),
        onEnd: (reason) => void this.#onEnd(reason),
      },
    });
    this.#loginDeadline = clock.after(timeLimits.loginMs, () => void this.close('timed-out', 'Nobody logged in within two minutes.'));
  }

  /** The account of this link once it has logged in. */
  get user(): string | undefined {
    return this.#self?.identity.user;
  }

  get seen(): Seen {
    return this.#seen;
  }

  /** Says why, then ends. Idempotent; resolves when the connection is gone. */
  close(code: WireCode, message: string): Promise<void> {
    return this.#connection.close(encodeServerLinkMessage({ type: 'bye', code, message }));
  }

  /** A message from another link, by way of the backend. */
  routed(message: RoutedMessage): void {
    void this.#takeRouted(message);
  }

  /** A method, since the compiler does not see that an await may end the connection. */
  #open(): boolean {
    return this.#connection.open;
  }

  #send(message: ServerMessage): void {
    this.#connection.send(encodeServerLinkMessage(message));
  }

  #onFrame(event: FrameEvent): void {
    if (event.kind !== 'json') throw new RemoteViolation('bad-frame', 'A data frame is not allowed here.');
    const message = parseClientMessage(event.body);
    if (message.type === 'answer' && this.#answersDue > 0) this.#answersDue -= 1;
    else this.#spendMessage();
    this.#inbox.push(message);
    if (this.#inbox.length >= INBOX_MESSAGES) this.#connection.pause();
    if (!this.#working) void this.#work();
  }

  /** Takes what is in the inbox, one by one. A rejection is a bug and ends the program. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      if (!this.#open()) break;
      await this.#take(message);
    }
    this.#working = false;
    this.#connection.resume();
  }

  async #take(message: ClientMessage): Promise<void> {
    try {
      const next = nextServerLinkState(this.#state, message.type);
      if ('id' in message) this.#spendRequest();
      await this.#handle(message);
      this.#state = next;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      this.#refuse(message, error);
    }
  }

  #spendMessage(): void {
    const taken = takeToken(MESSAGES, this.#messages, this.#options.services.clock.now());
    this.#messages = taken.bucket;
    if (!taken.granted) throw new RemoteViolation('rate-limited', 'Too many messages.');
  }

  #spendRequest(): void {
    const taken = takeToken(REQUESTS, this.#requests, this.#options.services.clock.now());
    this.#requests = taken.bucket;
    if (!taken.granted) throw new RequestRefused('rate-limited', 'Too many requests. Wait a second.');
  }

  /** Answers a message that was not granted; broken rules and spent chances end the link. */
  #refuse(message: ClientMessage, error: P2pError): void {
    if (error instanceof RemoteViolation) {
      void this.#connection.close(encodeServerLinkMessage({ type: 'bye', code: error.code, message: error.message }), error);
      return;
    }
    if (this.#state !== 'ready' && this.#state !== 'hello') this.#state = 'anonymous';
    const refused = error instanceof RequestRefused;
    if (!refused) this.#options.services.log.error({ code: error.code, cause: errorText(error.cause) }, error.message);
    const reply: ServerMessage = {
      type: 'error',
      ...('id' in message ? { id: message.id } : {}),
      code: refused ? (error.code) : 'server-error',
      message: refused ? error.message : 'The server cannot do this now. Try again later.',
    };
    if (error.code === 'too-many-attempts' || error.code === 'intercepted') void this.#connection.close(encodeServerLinkMessage(reply), error);
    else this.#send(reply);
  }

  async #handle(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'hello':
        this.#hello(message);
        return;
      case 'name-check':
        await this.#registration.checkName(message.user);
        this.#send({ type: 'name-free', id: message.id });
        return;
      case 'register-start':
        this.#send({ type: 'register-response', id: message.id, response: await this.#registration.start(message) });
        return;
      case 'register-finish':
        await this.#register(message);
        return;
      case 'login-start':
        this.#send({ type: 'login-response', id: message.id, response: await this.#login.start(message) });
        return;
      case 'login-finish': {
        const { account, proof } = await this.#login.finish(message);
        await this.#enter(message.id, account, proof);
        return;
      }
      case 'resume':
        await this.#enter(message.id, await this.#login.resume(message), undefined);
        return;
      case 'list':
        await this.#list(message);
        return;
      case 'connect':
        await this.#connect(message);
        return;
      case 'answer':
        await this.#answer(message);
        return;
      case 'away':
        await this.#options.services.backend.setAway(this.#ready().address, message.text);
        this.#send({ type: 'away-set', id: message.id });
        return;
      case 'watch':
        await this.#watch(message);
        return;
      case 'ping':
        this.#send({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'bye':
        void this.#connection.close();
    }
  }

  #hello({ versions, features }: ClientMessageOf<'hello'>): void {
    const { agent } = this.#options.services;
    this.#send({ type: 'hello', version: chooseVersion(versions), features: SERVER_FEATURES.filter((feature) => features.includes(feature)), agent });
  }

  async #register(message: ClientMessageOf<'register-finish'>): Promise<void> {
    const { user } = await this.#registration.finish(message);
    this.#options.services.log.info({ user }, 'registered');
    this.#send({ type: 'registered', id: message.id });
  }

  /** Makes the link that of `account` and takes the place of an older one. */
  async #enter(id: number, account: Account, proof: string | undefined): Promise<void> {
    const { backend, log } = this.#options.services;
    const { user, publicKey, sealedKey } = account;
    const address: LinkAddress = { name: canonicalUserName(user), link: this.id };
    const identity = { user, fingerprint: fingerprintOf(Buffer.from(publicKey, 'base64url')) };
    if (!this.#open()) return;
    this.#self = { address, identity, seen: this.#seen, send: (message) => this.#send(message) };
    this.#loginDeadline.stop();
    this.#options.onReady();
    await backend.announce(address, user);
    if (!this.#open()) {
      await backend.withdraw(address);
      return;
    }
    log.info({ user, how: proof === undefined ? 'resume' : 'password' }, 'logged in');
    this.#connection.setLimits({ maxJsonBytes: frameLimits.controlBytes, allowData: false });
    this.#send({ type: 'welcome', id, user, publicKey, sealedKey, ...(proof === undefined ? {} : { proof }), observed: this.#observed });
  }

  async #list({ id, prefix, after }: ClientMessageOf<'list'>): Promise<void> {
    const page = await this.#options.services.backend.list({
      prefix: canonicalUserName(prefix),
      after: after === undefined ? undefined : canonicalUserName(after),
      limit: serverLimits.listPage,
    });
    const { users: clients, total, next } = page;
    const fit = awayTexts();
    const away = page.away?.map(({ user, text }) => ({ user, text: fit(text) }));
    this.#send({ type: 'clients', id, clients, total, ...(next === undefined ? {} : { next }), ...(away === undefined ? {} : { away }) });
  }

  async #watch({ id, users }: ClientMessageOf<'watch'>): Promise<void> {
    const { watches } = this.#options.services;
    const present = await watches.watch({ link: this.id, tell: (message) => this.#send(message) }, users);
    if (this.#open()) this.#send({ type: 'watching', id, present });
    else watches.drop(this.id);
  }

  async #connect(message: ClientMessageOf<'connect'>): Promise<void> {
    const { introductions } = this.#options.services;
    await introductions.ask(this.#ready(), message);
    if (!this.#open()) await introductions.askerGone(this.id);
  }

  async #answer({ introduction, reach }: ClientMessageOf<'answer'>): Promise<void> {
    const asker = this.#asks.take(introduction);
    if (asker !== undefined) await this.#tellAsker(asker, introduction, reach);
  }

  async #takeRouted(message: RoutedMessage): Promise<void> {
    switch (message.kind) {
      case 'displaced':
        await this.close('displaced', 'You have logged in from somewhere else.');
        return;
      case 'asked':
        await this.#asked(message);
        return;
      case 'answered':
        await this.#options.services.introductions.answered(message);
        return;
      case 'introduced':
        this.#send({ type: 'introduction', introduction: message.introduction, role: 'answerer', peer: message.peer, candidates: message.candidates });
        return;
      case 'ask-ended':
        this.#asks.take(message.introduction);
    }
  }

  /** With too many questions open, or the link about to end, this one is refused in the client's name. */
  async #asked({ introduction, from, asker }: Extract<RoutedMessage, { kind: 'asked' }>): Promise<void> {
    if (this.#open() && this.#asks.add(introduction, asker)) {
      this.#answersDue += 1;
      this.#send({ type: 'asked', introduction, from });
    } else {
      await this.#tellAsker(asker, introduction, null);
    }
  }

  async #tellAsker(asker: LinkAddress, introduction: string, reach: Reach | null): Promise<void> {
    const { address, identity, seen } = this.#ready();
    await this.#options.services.backend.deliver(asker, { kind: 'answered', introduction, by: identity, answerer: address, reach, seen });
  }

  /** Messages that need a login are legal only after one, so its absence is a bug. */
  #ready(): Asker {
    if (this.#self === undefined) throw new Error('the link has not logged in');
    return this.#self;
  }

  async #onEnd(reason: P2pError | undefined): Promise<void> {
    this.#loginDeadline.stop();
    const unanswered = this.#asks.drain();
    this.#options.services.watches.drop(this.id);
    this.#options.onEnd(reason);
    if (this.#self === undefined) return;
    const { backend, introductions, log } = this.#options.services;
    log.info({ user: this.#self.identity.user, ...(reason === undefined ? {} : { reason: reason.code }) }, 'link ended');
    await introductions.askerGone(this.id);
    await backend.withdraw(this.#self.address);
    // Nobody will answer these any more, and whoever asked may ask again when the person is back.
    await Promise.all(unanswered.map(({ introduction, asker }) => this.#tellAsker(asker, introduction, null)));
  }
}
