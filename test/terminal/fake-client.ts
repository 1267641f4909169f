/**
 * An engine for tests of the faces: records what it was asked to do, in order, and does what the test says.
 */
import type { Writable } from 'node:stream';
import type { AcceptedKey, BlockedPerson, BlockOutcome, ClientApi, ClientEvent, ClientList, Leftover, OutgoingTransfer, PeerInfo, PersonPresence, SafetyNumberInfo, TransferOutcome, TransferSnapshot, WhoisInfo } from '../../src/client/api.js';
import type { TransferCode } from '../../src/protocol/errors.js';
import { P2pError } from '../../src/protocol/errors.js';

export const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;
export const OTHER_FINGERPRINT = `SHA256:${'B'.repeat(43)}`;
export const BLAKE3 = 'ab'.repeat(32);

export class FakeClient implements ClientApi {
  /** Calls in order, for example `say hello`. */
  readonly calls: string[] = [];
  user: string | undefined;
  current: string | undefined;
  sessions: string[] = [];
  transfers: TransferSnapshot[] = [];
  rateLimit: number | undefined;
  away: string | undefined;
  blocked: BlockedPerson[] = [];
  people: PersonPresence[] = [];
  left: Leftover[] = [];
  readonly verified = new Set<string>();
  /** Where a file would go, with `--received -`. */
  stdout: Writable | undefined;
  /** Called before a method does its work; may reject, or wait. The key is the method's name. */
  readonly before = new Map<string, (...args: readonly unknown[]) => Promise<void> | void>();
  readonly #finish = new Map<number, (outcome: TransferOutcome) => void>();
  #emit: (event: ClientEvent) => unknown = () => undefined;
  #nextTransfer = 1;
  #closed = false;

  /** As createClient gets them. */
  take(streams: { readonly stdout: Writable }): this {
    this.stdout = streams.stdout;
    return this;
  }

  onEvent(listener: (event: ClientEvent) => unknown): void {
    this.#emit = listener;
  }

  emit(event: ClientEvent): unknown {
    if (event.event === 'progress') {
      const { id, bytes, rate } = event;
      this.transfers = this.transfers.map((one) => (one.id === id ? { ...one, bytes, rate } : one));
    }
    return this.#emit(event);
  }

  async connect(): Promise<void> {
    await this.#call('connect');
    this.emit({ event: 'connected', server: 'localhost:9090', fingerprint: FINGERPRINT, trust: 'known' });
  }

  checkName(user: string): Promise<void> {
    return this.#call('checkName', user);
  }

  async register(user: string, password: string): Promise<void> {
    await this.#call('register', user, password);
    this.#loggedIn(user, true);
  }

  async login(user: string, password: string): Promise<void> {
    await this.#call('login', user, password);
    this.#loggedIn(user, false);
  }

  async listClients(prefix?: string): Promise<ClientList> {
    await this.#call('listClients', prefix);
    return { clients: ['alice', 'bob'], total: 2 };
  }

  async openSession(user: string): Promise<PeerInfo> {
    await this.#call('openSession', user);
    if (this.blocked.some((one) => one.user === user)) throw new P2pError('blocked', `You have blocked ${user}. UNBLOCK ${user} first.`);
    this.open(user, 'outgoing');
    return { user, fingerprint: FINGERPRINT, addresses: ['192.0.2.7:4000'] };
  }

  async setAway(text?: string): Promise<void> {
    await this.#call('setAway', text);
    this.away = text;
  }

  async watchUser(user: string): Promise<PersonPresence> {
    await this.#call('watchUser', user);
    return this.people.find((one) => one.user === user) ?? { user, state: 'offline' };
  }

  async block(user: string): Promise<BlockOutcome> {
    await this.#call('block', user);
    this.blocked.push({ user });
    return { user, known: user === 'bob' };
  }

  async unblock(user: string): Promise<void> {
    await this.#call('unblock', user);
    this.blocked = this.blocked.filter((one) => one.user !== user);
  }

  async answerSession(accept: boolean, user?: string): Promise<void> {
    await this.#call('answerSession', accept, user);
  }

  sessionNumber(user: string): number | undefined {
    const index = this.sessions.indexOf(user);
    return index < 0 ? undefined : index + 1;
  }

  switchSession(session: string | number): string {
    this.calls.push(`switchSession ${session}`);
    const peer = typeof session === 'number' ? this.sessions[session - 1] : session;
    if (peer === undefined) throw new P2pError('no-session', `There is no session number ${session}.`);
    this.current = peer;
    return peer;
  }

  async closeSession(): Promise<void> {
    await this.#call('closeSession');
    const peer = this.current;
    if (peer === undefined) throw new P2pError('no-session', 'You are not in a session.');
    this.sessions = this.sessions.filter((one) => one !== peer);
    this.current = undefined;
    this.emit({ event: 'session-closed', peer, reason: `You ended the session with ${peer}.`, code: 'closed-by-you', undelivered: 0 });
  }

  async say(text: string, to?: string): Promise<void> {
    await this.#call('say', text, to);
    const peer = to ?? this.current;
    if (peer === undefined) throw new P2pError('no-session', 'You are not in a session.');
    this.emit({ event: 'message', peer, direction: 'out', text });
  }

  async sendFile(path: string, stdinAs?: string): Promise<OutgoingTransfer> {
    await this.#call('sendFile', path, stdinAs);
    const name = stdinAs ?? path;
    const id = this.offer({ name, direction: 'outgoing', ...(stdinAs === undefined ? {} : { size: null }) });
    return { id, finished: new Promise((resolve) => this.#finish.set(id, resolve)) };
  }

  acceptFile(id?: number): Promise<void> {
    return this.#call('acceptFile', id);
  }

  rejectFile(id?: number): Promise<void> {
    return this.#call('rejectFile', id);
  }

  cancelFile(id?: number): Promise<void> {
    return this.#call('cancelFile', id);
  }

  pauseFile(id?: number): Promise<void> {
    return this.#call('pauseFile', id);
  }

  resumeFile(id?: number): Promise<void> {
    return this.#call('resumeFile', id);
  }

  async leftovers(): Promise<readonly Leftover[]> {
    await this.#call('leftovers');
    return this.left;
  }

  limitRate(bytesPerSecond: number | undefined): void {
    this.calls.push(`limitRate ${bytesPerSecond ?? 'none'}`);
    this.rateLimit = bytesPerSecond;
  }

  async safetyNumber(user: string): Promise<SafetyNumberInfo> {
    await this.#call('safetyNumber', user);
    return this.#safetyNumber(user);
  }

  async markVerified(user: string, verified: boolean): Promise<SafetyNumberInfo> {
    await this.#call('markVerified', user, verified);
    if (verified) this.verified.add(user);
    else this.verified.delete(user);
    return this.#safetyNumber(user);
  }

  isVerified(user: string): boolean {
    return this.verified.has(user);
  }

  async acceptKey(user: string, end?: string): Promise<AcceptedKey> {
    await this.#call('acceptKey', user, end);
    return { user, fingerprint: OTHER_FINGERPRINT, previous: FINGERPRINT, wasVerified: this.verified.delete(user) };
  }

  async whois(user: string): Promise<WhoisInfo> {
    await this.#call('whois', user);
    return { user, self: false, online: true, fingerprint: FINGERPRINT, since: '2026-01-02', verified: this.isVerified(user) };
  }

  async disconnect(): Promise<void> {
    await this.#call('disconnect');
    if (this.sessions.length > 0) throw new P2pError('session-open', `A session with ${this.sessions.join(', ')} is open. End it with CLOSE_SESSION.`);
    this.#end();
  }

  async close(): Promise<void> {
    await Promise.resolve();
    if (!this.#closed) this.calls.push('close');
    this.#end();
  }

  /** A session comes into being. */
  open(peer: string, direction: 'incoming' | 'outgoing'): void {
    this.sessions.push(peer);
    const current = direction === 'outgoing' || this.current === undefined;
    if (current) this.current = peer;
    this.emit({ event: 'session-opened', peer, direction, path: 'direct', address: '192.0.2.7:4000', fingerprint: FINGERPRINT, firstContact: false, current, verified: this.isVerified(peer) });
  }

  /** An offer appears: of `bob` to this client, of 100 bytes, unless `more` says otherwise. @returns Its number. */
  offer(more: Partial<TransferSnapshot> & { readonly decision?: 'ask' | 'accepted' | 'refused' } = {}): number {
    const { decision = 'ask', ...fields } = more;
    const peer = more.direction === 'outgoing' ? (this.current ?? 'nobody') : 'bob';
    const kind = more.kind ?? 'file';
    const one = { id: this.#nextTransfer++, peer, direction: 'incoming', name: 'a', kind, size: 100, files: 1, bytes: 0, state: decision === 'accepted' ? 'running' : 'offered', rate: 0, ...fields } as const;
    if (decision !== 'refused') this.transfers.push(one);
    const { id, direction, name, size, files } = one;
    this.emit({ event: 'offer', id, peer: one.peer, direction, name, kind, size, files, counted: true, ...(direction === 'incoming' ? { decision } : {}) });
    return id;
  }

  done(id: number): void {
    const { peer, direction, name, kind, size, files } = this.#take(id);
    this.#ended({ event: 'transfer-done', id, peer, direction, name, kind, bytes: size ?? 0, resumed: 0, files, same: 0, refused: 0, seconds: 2, blake3: BLAKE3 });
  }

  failTransfer(id: number, code: TransferCode = 'rejected', message = 'The other side does not want it.'): void {
    const { peer, direction, name } = this.#take(id);
    this.#ended({ event: 'transfer-failed', id, peer, direction, name, code, message });
  }

  /** The first call of `method` resolves this. */
  called(method: string): Promise<void> {
    return new Promise((resolve) => {
      const previous = this.before.get(method);
      this.before.set(method, (...args) => {
        resolve();
        return previous?.(...args);
      });
    });
  }

  #safetyNumber(user: string): SafetyNumberInfo {
    const parts = [this.user ?? 'alice', user].map((one) => ({ user: one, digits: ['00001', '00002', '00003', '00004', '00005', '00006'], words: ['abandon', 'ability', 'able', 'about', 'above', 'absent', 'absorb'] }));
    const verified = this.isVerified(user);
    return { user, fingerprint: FINGERPRINT, key: 'known', since: '2026-01-02', verified, ...(verified ? { verifiedOn: '2026-01-03' } : {}), parts };
  }

  #take(id: number): TransferSnapshot {
    const transfer = this.transfers.find((one) => one.id === id);
    if (transfer === undefined) throw new Error(`no transfer ${id}`);
    this.transfers = this.transfers.filter((one) => one.id !== id);
    return transfer;
  }

  #ended(outcome: TransferOutcome): void {
    this.emit(outcome);
    this.#finish.get(outcome.id)?.(outcome);
  }

  #loggedIn(user: string, isNew: boolean): void {
    this.user = user;
    this.emit({ event: 'logged-in', user, new: isNew, fingerprint: FINGERPRINT });
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.sessions = [];
    this.current = undefined;
    this.emit({ event: 'disconnected', reason: 'You have left.', code: 'closed' });
  }

  async #call(method: string, ...args: readonly unknown[]): Promise<void> {
    this.calls.push([method, ...args.filter((one) => one !== undefined).map(String)].join(' '));
    await this.before.get(method)?.(...args);
  }
}
