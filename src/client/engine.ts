/**
 * The engine: one person's client without a screen. Ties the server link, introductions, sessions and transfers together
 * behind {@link ClientApi}.
 *
 * Owns which sessions exist and which one is current; everything below is delegated.
 */
import { join } from 'node:path';
import { systemClock, type Clock } from '../net/clock.js';
import { PeerListener } from '../net/peer-listener.js';
import { tlsContext } from '../net/tls.js';
import { formatEndpoint } from '../protocol/candidates.js';
import { P2pError } from '../protocol/errors.js';
import { clientLimits, peerLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import { selfSignedCertificate } from '../security/certificate.js';
import { PinFile } from '../security/pins.js';
import { ReceiveStore } from '../transfer/receive-store.js';
import type { ClientApi, ClientEvent, ClientList, OutgoingTransfer, PeerInfo, SessionEnd, TransferSnapshot } from './api.js';
import { Introductions, type Introduced } from './introductions.js';
import { checkName, login, register, type Account } from './login.js';
import type { ClientOptions } from './options.js';
import { ServerLinkKeeper } from './server-link-keeper.js';
import { Session } from './session.js';

export function createClient(options: ClientOptions, clock: Clock = systemClock): ClientApi {
  return new Engine(options, clock);
}

type State = 'new' | 'connected' | 'logged-in' | 'closed';

/** A person's answer to a session request that is still to come. */
interface Request {
  readonly peer: string;
  decide(accept: boolean): void;
}

class Engine implements ClientApi {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #keeper: ServerLinkKeeper;
  readonly #store: ReceiveStore;
  /** By canonical name, oldest first. */
  readonly #sessions = new Map<string, Session>();
  readonly #requests = new Map<string, Request>();
  #listener: PeerListener | undefined;
  #introductions: Introductions | undefined;
  #account: Account | undefined;
  #current: Session | undefined;
  #state: State = 'new';
  #closing: Promise<void> | undefined;
  #lastTransferId = 0;
  #consumer: (event: ClientEvent) => void | Promise<void> = () => undefined;

  constructor(options: ClientOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const { host, port, home, pin, agent } = options;
    this.#store = new ReceiveStore({ received: join(home, 'received'), partial: join(home, 'partial') });
    this.#keeper = new ServerLinkKeeper({
      host,
      port,
      agent,
      clock,
      pin,
      serverName: this.#serverName,
      knownServers: new PinFile(join(home, 'known_servers'), 'Servers and their keys: host:port, fingerprint, first seen. Delete a line to accept a new key.'),
      onAsked: (message) => void this.#introductions?.onAsked(message),
      onIntroduction: (message) => void this.#introductions?.onIntroduction(message),
      onLost: (reason) => this.#emit({ event: 'server-lost', reason }),
      onBack: () => this.#emit({ event: 'server-back' }),
      onFinal: (error) => void this.#shutDown(error),
    });
  }

  get user(): string | undefined {
    return this.#account?.user;
  }

  get current(): string | undefined {
    return this.#current?.peer;
  }

  get sessions(): readonly string[] {
    return [...this.#sessions.values()].map(({ peer }) => peer);
  }

  get transfers(): readonly TransferSnapshot[] {
    return [...this.#sessions.values()].flatMap((session) => session.transfers.snapshots()).sort((a, b) => a.id - b.id);
  }

  onEvent(listener: (event: ClientEvent) => void | Promise<void>): void {
    this.#consumer = listener;
  }

  async connect(): Promise<void> {
    await this.#keeper.connect();
    if (this.#state === 'closed') throw hasLeft();
    this.#state = 'connected';
    const { fingerprint = '', trust = 'new' } = this.#keeper.server ?? {};
    this.#emit({ event: 'connected', server: this.#serverName, fingerprint, trust });
  }

  async checkName(user: string): Promise<void> {
    await this.#keeper.beforeLogin((link) => checkName(link, user));
  }

  async register(user: string, password: string): Promise<void> {
    await this.#keeper.beforeLogin((link) => register(link, user, password));
    await this.#logIn(user, password, true);
  }

  async login(user: string, password: string): Promise<void> {
    await this.#logIn(user, password, false);
  }

  async #logIn(user: string, password: string, isNew: boolean): Promise<void> {
    const account = await this.#keeper.beforeLogin((link) => login(link, user, password));
    const context = tlsContext(await selfSignedCertificate(account.identity));
    await this.#store.removeLeftovers(Date.now());
    const listener = await PeerListener.listen({
      port: this.#options.listenPort,
      expecting: () => this.#introductions?.expecting === true,
      onSocket: async (socket) => await this.#introductions?.onSocket(socket),
    });
    if (this.#state === 'closed') {
      await listener.close();
      throw hasLeft();
    }
    this.#account = account;
    this.#listener = listener;
    this.#introductions = new Introductions({
      user: account.user,
      fingerprint: account.identity.fingerprint,
      context,
      clock: this.#clock,
      agent: this.#options.agent,
      knownPeers: new PinFile(join(this.#options.home, 'known_peers'), 'Peers and their keys: user@server, fingerprint, first seen. Delete a line to accept a new key.'),
      serverName: this.#serverName,
      listener,
      serverLink: () => this.#keeper.link,
      consent: (peer, fingerprint) => this.#consent(peer, fingerprint),
      onIncoming: (introduced) => void this.#open(introduced),
      onWarning: ({ code, message }, peer) => this.#emit({ event: 'warning', code, message, peer }),
    });
    this.#state = 'logged-in';
    this.#emit({ event: 'logged-in', user: account.user, new: isNew, fingerprint: account.identity.fingerprint });
    // Last, since it lets in those who have asked meanwhile.
    await this.#keeper.keep(account);
  }

  async listClients(prefix = ''): Promise<ClientList> {
    const clients: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#keeper.link.request({ type: 'list', prefix, ...(after === undefined ? {} : { after }) }, 'clients');
      clients.push(...page.clients);
      after = page.next;
      // People come and go between two pages, so the server's number counts only where the list is cut short.
      if (after === undefined || page.clients.length === 0) return { clients, total: clients.length };
      if (clients.length >= clientLimits.listedClients) return { clients, total: Math.max(page.total, clients.length) };
    }
  }

  async openSession(user: string): Promise<PeerInfo> {
    const known = this.#sessions.get(canonicalUserName(user));
    if (known?.open === true) {
      this.#current = known;
      return infoOf(known.introduced);
    }
    await known?.ended;
    if (this.#sessions.size >= peerLimits.sessions) {
      throw new P2pError('already-connected', `${peerLimits.sessions} sessions are open. Close one with CLOSE_SESSION first.`);
    }
    if (this.#introductions === undefined) throw new P2pError('not-authenticated', 'Log in first.');
    const introduced = await this.#introductions.ask(user);
    await this.#open(introduced);
    return infoOf(introduced);
  }

  async answerSession(accept: boolean, user?: string): Promise<void> {
    await Promise.resolve();
    const name = user === undefined ? [...this.#requests.keys()][0] : canonicalUserName(user);
    const request = name === undefined ? undefined : this.#requests.get(name);
    if (request === undefined) throw new P2pError('no-session', user === undefined ? 'Nobody is asking for a session.' : `${user} is not asking for a session.`);
    request.decide(accept);
  }

  switchSession(user: string): void {
    this.#current = this.#session(user);
  }

  async closeSession(): Promise<void> {
    const session = this.#session();
    await session.close('closed-by-you', `You ended the session with ${session.peer}.`);
  }

  async say(text: string, to?: string): Promise<void> {
    await this.#session(to).say(text);
  }

  async sendFile(path: string): Promise<OutgoingTransfer> {
    return await this.#session().transfers.offerFile(path);
  }

  async acceptFile(id?: number): Promise<void> {
    const offer = this.#offer(id);
    await offer.session.transfers.accept(offer.id);
  }

  async rejectFile(id?: number): Promise<void> {
    const offer = this.#offer(id);
    await offer.session.transfers.reject(offer.id);
  }

  async cancelFile(id?: number): Promise<void> {
    const mine = this.#transfersBySession();
    const found = id === undefined && mine.length > 1 ? undefined : mine.find(({ snapshot }) => id === undefined || snapshot.id === id);
    if (found !== undefined) {
      await found.session.transfers.cancel(found.snapshot.id);
      return;
    }
    const running = mine.map(({ snapshot }) => `${snapshot.id} (${snapshot.name})`).join(', ');
    const which = running === '' ? 'No transfer is under way.' : `Say which: CANCEL_FILE n, with n one of ${running}.`;
    throw new P2pError('no-such-transfer', which);
  }

  async disconnect(): Promise<void> {
    const open = [...this.#sessions.values()].filter((session) => session.open).map(({ peer }) => peer);
    if (open.length > 0) {
      throw new P2pError('session-open', `A session with ${open.join(', ')} is open. End it with CLOSE_SESSION, then DISCONNECT_CLIENT.`);
    }
    await this.close();
  }

  close(): Promise<void> {
    return this.#shutDown(hasLeft());
  }

  /** For events that hold nobody back. */
  #emit(event: ClientEvent): void {
    void this.#consumer(event);
  }

  get #serverName(): string {
    return formatEndpoint(this.#options.host.toLowerCase(), this.#options.port);
  }

  /** @throws P2pError `no-session`, saying how to get one. */
  #session(user?: string): Session {
    const session = user === undefined ? this.#current : this.#sessions.get(canonicalUserName(user));
    if (session !== undefined) return session;
    if (user !== undefined) throw new P2pError('no-session', `No session with ${user} is open. GET_CLIENT_INFO ${user} opens one.`);
    const others = this.sessions;
    throw new P2pError(
      'no-session',
      others.length > 0
        ? `No session is chosen. SWITCH_SESSION <user> chooses one of: ${others.join(', ')}.`
        : 'You are not in a session. GET_CLIENT_LIST shows who is online, GET_CLIENT_INFO <user> opens a session.',
    );
  }

  #transfersBySession(): { session: Session; snapshot: TransferSnapshot }[] {
    return [...this.#sessions.values()].flatMap((session) => session.transfers.snapshots().map((snapshot) => ({ session, snapshot })));
  }

  /** @throws P2pError `no-such-offer`. */
  #offer(id: number | undefined): { session: Session; id: number } {
    const open = this.#transfersBySession()
      .filter(({ snapshot }) => snapshot.direction === 'incoming' && snapshot.state === 'offered')
      .sort((a, b) => a.snapshot.id - b.snapshot.id);
    const found = open.find(({ snapshot }) => id === undefined || snapshot.id === id);
    if (found !== undefined) return { session: found.session, id: found.snapshot.id };
    const choice = open.map(({ snapshot }) => `${snapshot.id} (${snapshot.name})`).join(', ');
    throw new P2pError('no-such-offer', choice === '' ? 'No file is being offered to you.' : `There is no such offer. Open offers: ${choice}.`);
  }

  /** Makes a session of a link; one that exists with the same peer gives way (PROTOCOL.md 7.3). */
  async #open(introduced: Introduced): Promise<void> {
    const name = canonicalUserName(introduced.peer);
    let wasCurrent = false;
    // While one closes, another may have taken its place.
    for (let old = this.#sessions.get(name); old !== undefined; old = this.#sessions.get(name)) {
      wasCurrent ||= old === this.#current;
      await old.close('replaced', `${introduced.peer} has connected anew.`);
    }
    if (this.#state === 'closed') {
      introduced.link.destroy();
      return;
    }
    const session = new Session({
      introduced,
      clock: this.#clock,
      accept: this.#options.accept,
      store: this.#store,
      nextTransferId: () => ++this.#lastTransferId,
      emit: (event) => this.#consumer(event),
      onEnd: (ended, end) => this.#onSessionEnd(ended, end),
    });
    this.#sessions.set(name, session);
    if (introduced.direction === 'outgoing' || this.#current === undefined || wasCurrent) this.#current = session;
    const { peer, direction, fingerprint, firstContact, link } = introduced;
    this.#emit({ event: 'session-opened', peer, direction, path: 'direct', address: link.address, fingerprint, firstContact, current: session === this.#current });
    session.start();
  }

  #onSessionEnd(session: Session, end: { code: SessionEnd; reason: string; undelivered: number }): void {
    const name = canonicalUserName(session.peer);
    if (this.#sessions.get(name) === session) this.#sessions.delete(name);
    // No other session takes its place: a line typed at this moment must not reach somebody else (DESIGN 6).
    if (this.#current === session) this.#current = undefined;
    this.#emit({ event: 'session-closed', peer: session.peer, ...end });
  }

  async #consent(peer: string, fingerprint: string): Promise<boolean> {
    if (this.#sessions.size >= peerLimits.sessions) return false;
    if (this.#options.sessions === 'auto') return true;
    const name = canonicalUserName(peer);
    if (this.#requests.has(name)) return false;
    return await new Promise((resolve) => {
      const timer = this.#clock.after(timeLimits.answerMs, () => request.decide(false));
      const request: Request = {
        peer,
        decide: (accept) => {
          timer.stop();
          this.#requests.delete(name);
          resolve(accept);
        },
      };
      this.#requests.set(name, request);
      this.#emit({ event: 'session-request', peer, fingerprint });
    });
  }

  /** The one way to the end; the first reason counts. */
  #shutDown(reason: P2pError): Promise<void> {
    this.#closing ??= (async () => {
      this.#state = 'closed';
      this.#introductions?.close();
      for (const request of [...this.#requests.values()]) request.decide(false);
      await Promise.all([...this.#sessions.values()].map((session) => session.close('closed-by-you', `You ended the session with ${session.peer}.`)));
      await this.#listener?.close();
      await this.#keeper.close();
      this.#emit({ event: 'disconnected', reason: reason.message, code: reason.code });
    })();
    return this.#closing;
  }
}

function hasLeft(): P2pError {
  return new P2pError('closed', 'You have left.');
}

function infoOf({ peer, fingerprint, addresses }: Introduced): PeerInfo {
  return { user: peer, fingerprint, addresses };
}
