/**
 * The engine: one person's client without a screen. Ties the server link, introductions, sessions and transfers together
 * behind {@link ClientApi}.
 *
 * Owns login and the end of the program; everything in between is delegated: sessions to sessions.ts, numbers of transfers to
 * transfer-choice.ts, bytes to transfer/.
 */
import { join } from 'node:path';
import { systemClock, type Clock } from '../net/clock.js';
import { PeerListener } from '../net/peer-listener.js';
import { tlsContext } from '../net/tls.js';
import { formatEndpoint } from '../protocol/candidates.js';
import { P2pError } from '../protocol/errors.js';
import { prepareCertificates, selfSignedCertificate } from '../security/certificate.js';
import { PinFile } from '../security/pins.js';
import type { AcceptedKey, BlockedPerson, BlockOutcome, ClientApi, ClientEvent, ClientList, Leftover, OutgoingTransfer, PeerInfo, PersonPresence, SafetyNumberInfo, TransferSnapshot, WhoisInfo } from './api.js';
import { listClients } from './client-list.js';
import { Introductions } from './introductions.js';
import { checkName, login, register, type Account } from './login.js';
import type { ClientOptions } from './options.js';
import { PeerTrust } from './peer-trust.js';
import { People } from './people.js';
import { ServerLinkKeeper } from './server-link-keeper.js';
import { Sessions } from './sessions.js';
import { SharedTransfers, type ClientStreams } from './shared-transfers.js';
import { allTransfers, chooseOffer, chooseTransfer } from './transfer-choice.js';
import { checkPrefix, checkUser } from './user-names.js';
import { whois } from './whois.js';

/** @throws P2pError `bad-argument` where files are to go to stdout and there is none. */
export function createClient(options: ClientOptions, clock: Clock = systemClock, streams: ClientStreams = {}): ClientApi {
  return new Engine(options, clock, streams);
}

type State = 'new' | 'connected' | 'logged-in' | 'closed';

class Engine implements ClientApi {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #keeper: ServerLinkKeeper;
  readonly #transfers: SharedTransfers;
  readonly #sessions: Sessions;
  readonly #knownPeers: PinFile;
  readonly #people: People;
  #listener: PeerListener | undefined;
  #introductions: Introductions | undefined;
  #trust: PeerTrust | undefined;
  #account: Account | undefined;
  #state: State = 'new';
  #closing: Promise<void> | undefined;
  #consumer: (event: ClientEvent) => void | Promise<void> = () => undefined;

  constructor(options: ClientOptions, clock: Clock, streams: ClientStreams) {
    this.#options = options;
    this.#clock = clock;
    this.#transfers = new SharedTransfers(options, clock, streams);
    const { host, port, home, pin, agent } = options;
    this.#sessions = new Sessions({
      clock,
      policy: options.sessions,
      isBlocked: (peer, fingerprint) => this.#people.isBlocked(peer, fingerprint),
      isKnownKey: (peer, fingerprint) => this.#trust?.isKnownKey(peer, fingerprint) ?? false,
      isVerified: (peer) => this.isVerified(peer),
      introductions: () => this.#loggedIn(),
      makeTransfers: (peer, emit) => this.#transfers.make(peer, emit),
      emit: (event) => {
        if (event.event === 'session-opened') void this.#people.presence.watch([event.peer]);
        return this.#consumer(event);
      },
    });
    this.#knownPeers = new PinFile(join(home, 'known_peers'), 'Peers and their keys: user@server, fingerprint, since when, when verified. ACCEPT_KEY takes a new key.');
    this.#people = new People({
      clock,
      home,
      serverName: this.#serverName,
      knownPeers: this.#knownPeers,
      sessions: this.#sessions,
      serverLink: () => this.#keeper.link,
      emit: (event) => this.#emit(event),
    });
    this.#keeper = new ServerLinkKeeper({
      host,
      port,
      agent,
      clock,
      pin,
      serverName: this.#serverName,
      knownServers: new PinFile(join(home, 'known_servers'), 'Servers and their keys: host:port, fingerprint, since when. --pin takes a new key.'),
      onAsked: (message) => void this.#introductions?.onAsked(message),
      onIntroduction: (message) => void this.#introductions?.onIntroduction(message),
      onPresence: (message) => this.#people.presence.onPresence(message),
      onLost: (reason) => this.#emit({ event: 'server-lost', reason }),
      onBack: () => {
        this.#emit({ event: 'server-back' });
        this.#sessions.hurry();
        void this.#people.presence.renew();
      },
      onFinal: (error) => void this.#shutDown(error),
    });
  }

  get user(): string | undefined {
    return this.#account?.user;
  }

  get current(): string | undefined {
    return this.#sessions.current?.peer;
  }

  get sessions(): readonly string[] {
    return this.#sessions.all.map(({ peer }) => peer);
  }

  get transfers(): readonly TransferSnapshot[] {
    return allTransfers(this.#sessions.all);
  }

  get blocked(): readonly BlockedPerson[] {
    return this.#people.blocked;
  }

  get away(): string | undefined {
    return this.#people.presence.away;
  }

  get people(): readonly PersonPresence[] {
    return this.#people.presence.people;
  }

  get rateLimit(): number | undefined {
    return this.#transfers.limiter.limit;
  }

  onEvent(listener: (event: ClientEvent) => void | Promise<void>): void {
    this.#consumer = listener;
  }

  async connect(): Promise<void> {
    await this.#keeper.connect();
    if (this.#state === 'closed') throw hasLeft();
    this.#state = 'connected';
    const { fingerprint = '', trust = 'new', since } = this.#keeper.server ?? {};
    this.#emit({ event: 'connected', server: this.#serverName, fingerprint, trust, ...(since === undefined ? {} : { since }) });
  }

  async checkName(user: string): Promise<void> {
    await this.#keeper.beforeLogin((link) => checkName(link, user));
  }

  async register(user: string, password: string): Promise<void> {
    await this.#people.load();
    await this.#keeper.beforeLogin((link) => register(link, user, password));
    await this.#logIn(user, password, true);
  }

  async login(user: string, password: string): Promise<void> {
    await this.#people.load();
    await this.#logIn(user, password, false);
  }

  async #logIn(user: string, password: string, isNew: boolean): Promise<void> {
    // While a thread of its own works on the password, there is time for what comes after it.
    void prepareCertificates();
    const tidied = this.#transfers.store.removeLeftovers(Date.now());
    tidied.catch(() => undefined);
    const account = await this.#keeper.beforeLogin((link) => login(link, user, password));
    const context = tlsContext(await selfSignedCertificate(account.identity));
    await tidied;
    const trust = new PeerTrust({
      user: account.user,
      fingerprint: account.identity.fingerprint,
      serverName: this.#serverName,
      knownPeers: this.#knownPeers,
      clock: this.#clock,
      hasSession: (peer) => this.#sessions.has(peer),
      onChanged: (change) => this.#emit(change),
    });
    await trust.load();
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
    this.#trust = trust;
    this.#listener = listener;
    this.#introductions = new Introductions({
      user: account.user,
      fingerprint: account.identity.fingerprint,
      context,
      clock: this.#clock,
      agent: this.#options.agent,
      trust,
      listener,
      serverLink: () => this.#keeper.link,
      isBlocked: (peer, fingerprint) => this.#people.isBlocked(peer, fingerprint),
      consent: (peer, fingerprint) => this.#sessions.consent(peer, fingerprint),
      continuity: (peer, heard) => this.#sessions.continuity(peer, heard),
      isLost: (peer) => this.#sessions.isLost(peer),
      onIncoming: (introduced) => void this.#sessions.admit(introduced),
      onWarning: (error, peer) => this.#sessions.onWarning(error, peer),
    });
    this.#state = 'logged-in';
    this.#emit({ event: 'logged-in', user: account.user, new: isNew, fingerprint: account.identity.fingerprint });
    // Last, since it lets in those who have asked meanwhile.
    await this.#keeper.keep(account);
    void this.#people.start(account.user);
  }

  async listClients(prefix = ''): Promise<ClientList> {
    checkPrefix(prefix);
    return this.#people.withoutBlocked(await listClients(() => this.#keeper.link, prefix));
  }

  async openSession(user: string): Promise<PeerInfo> {
    checkUser(user);
    this.#people.checkNotBlocked(user);
    return await this.#sessions.open(user);
  }

  async setAway(text?: string): Promise<void> {
    await this.#people.presence.setAway(text);
  }

  async watchUser(user: string): Promise<PersonPresence> {
    checkUser(user);
    return await this.#people.presence.look(user);
  }

  block(user: string): Promise<BlockOutcome> {
    return this.#people.block(user, (prefix) => this.listClients(prefix));
  }

  unblock(user: string): Promise<void> {
    return this.#people.unblock(user);
  }

  async answerSession(accept: boolean, user?: string): Promise<void> {
    await Promise.resolve();
    this.#sessions.answer(accept, user);
  }

  sessionNumber(user: string): number | undefined {
    return this.#sessions.numberOf(user);
  }

  switchSession(session: string | number): string {
    return this.#sessions.switchTo(session).peer;
  }

  async closeSession(): Promise<void> {
    await this.#sessions.find().close();
  }

  async say(text: string, to?: string): Promise<void> {
    await this.#sessions.find(to).say(text);
  }

  async sendFile(path: string, name?: string): Promise<OutgoingTransfer> {
    return await this.#transfers.offer(this.#sessions.find().transfers, path, name);
  }

  async acceptFile(id?: number): Promise<void> {
    const chosen = chooseOffer(this.#sessions.all, id);
    await chosen.transfers.accept(chosen.id);
  }

  async rejectFile(id?: number): Promise<void> {
    const chosen = chooseOffer(this.#sessions.all, id);
    await chosen.transfers.reject(chosen.id);
  }

  async cancelFile(id?: number): Promise<void> {
    const chosen = chooseTransfer(this.#sessions.all, 'CANCEL_FILE', id);
    await chosen.transfers.cancel(chosen.id);
  }

  async pauseFile(id?: number): Promise<void> {
    const chosen = chooseTransfer(this.#sessions.all, 'PAUSE_FILE', id);
    await chosen.transfers.pause(chosen.id);
  }

  async resumeFile(id?: number): Promise<void> {
    const chosen = chooseTransfer(this.#sessions.all, 'RESUME_FILE', id);
    await chosen.transfers.resume(chosen.id);
  }

  leftovers(): Promise<readonly Leftover[]> {
    return this.#transfers.store.leftovers();
  }

  limitRate(bytesPerSecond: number | undefined): void {
    this.#transfers.limiter.limit = bytesPerSecond;
  }

  async safetyNumber(user: string): Promise<SafetyNumberInfo> {
    return await this.#trusting().safetyNumber(user);
  }

  async markVerified(user: string, verified: boolean): Promise<SafetyNumberInfo> {
    return await this.#trusting().markVerified(user, verified);
  }

  isVerified(user: string): boolean {
    return this.#trust?.isVerified(user) ?? false;
  }

  async acceptKey(user: string, end?: string): Promise<AcceptedKey> {
    checkUser(user);
    const accepted = await this.#trusting().accept(user, end);
    // What there is under the old key is with somebody who is not held for this peer any more.
    await this.#sessions.dropUnless(user, accepted.fingerprint);
    return accepted;
  }

  async whois(user: string): Promise<WhoisInfo> {
    checkUser(user);
    const trust = this.#trusting();
    const { user: self = '', identity } = this.#account ?? {};
    const session = this.#sessions.has(user) ? this.#sessions.find(user) : undefined;
    return await whois(user, { user: self, fingerprint: identity?.fingerprint ?? '', trust, session, serverLink: () => this.#keeper.link });
  }

  async disconnect(): Promise<void> {
    this.#sessions.checkNone();
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

  /** @throws P2pError `not-authenticated`. */
  #trusting(): PeerTrust {
    if (this.#trust === undefined) throw new P2pError('not-authenticated', 'Log in first.');
    return this.#trust;
  }

  /** @throws P2pError `not-authenticated`. */
  #loggedIn(): Introductions {
    if (this.#introductions === undefined) throw new P2pError('not-authenticated', 'Log in first.');
    return this.#introductions;
  }

  /** The one way to the end; the first reason counts. */
  #shutDown(reason: P2pError): Promise<void> {
    this.#closing ??= (async () => {
      this.#state = 'closed';
      this.#introductions?.close();
      this.#people.presence.close();
      await this.#sessions.close();
      await Promise.all([this.#listener?.close(), this.#keeper.close(), this.#transfers.close()]);
      this.#emit({ event: 'disconnected', reason: reason.message, code: reason.code });
    })();
    return this.#closing;
  }
}

function hasLeft(): P2pError {
  return new P2pError('closed', 'You have left.');
}
