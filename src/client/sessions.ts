/**
 * The sessions of one client: which there are, which one is current, who may begin or continue one (PROTOCOL.md 7.3, 7.3.1).
 *
 * Owns consent and the memory of sessions that have ended; how peers are found is in introductions.ts, what goes on within
 * a session in session.ts.
 */
import { debuglog } from 'node:util';
import type { Clock } from '../net/clock.js';
import type { Continuity } from '../net/peer-link.js';
import { LinkLost, P2pError } from '../protocol/errors.js';
import { peerLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { TransferEvent } from '../transfer/events.js';
import type { ClientEvent, PeerInfo } from './api.js';
import { EndedSessions } from './ended-sessions.js';
import type { Consent, Introduced, Introductions } from './introductions.js';
import type { SessionPolicy } from './options.js';
import { Session, type Ended, type Transfers } from './session.js';
import { SessionRequests } from './session-requests.js';

const debug = debuglog('p2p-session');

/** Failures of an introduction that the person must hear of, even while the session is being re-made. */
const LOUD: readonly string[] = ['peer-key-wrong', 'bad-pin-file'];

export interface SessionsOptions {
  readonly clock: Clock;
  readonly policy: SessionPolicy;
  /** Whether the person wants nothing to do with this peer. */
  isBlocked(peer: string, fingerprint: string): boolean;
  /** Whether this is the key that the person, or the first contact, holds to be this peer's. */
  isKnownKey(peer: string, fingerprint: string): boolean;
  /** Whether the person has verified the key of this peer. */
  isVerified(peer: string): boolean;
  /** @throws P2pError `not-authenticated` before the login. */
  introductions(): Pick<Introductions, 'ask' | 'awaits'>;
  makeTransfers(peer: { readonly peer: string; readonly fingerprint: string }, emit: (event: TransferEvent) => void): Transfers;
  /** A promise asks to hold back the peer whose event it was. */
  emit(event: ClientEvent): void | Promise<void>;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #requests: SessionRequests;
  readonly #ended = new EndedSessions();
  /** By canonical name, oldest first. */
  readonly #sessions = new Map<string, Session>();
  /** By canonical name. A number stays as long as the session: what is typed after a switch must not reach somebody else. */
  readonly #numbers = new Map<string, number>();
  /** Canonical names that the person is opening a session with. */
  readonly #opening = new Set<string>();
  #current: Session | undefined;
  #closed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#requests = new SessionRequests(options.clock, (peer, fingerprint) => void options.emit({ event: 'session-request', peer, fingerprint }));
  }

  /** Oldest first. */
  get all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  get current(): Session | undefined {
    return this.#current;
  }

  /** The one with `user`, or the current one. @throws P2pError `no-session`, saying how to get one. */
  find(user?: string): Session {
    const session = user === undefined ? this.#current : this.#sessions.get(canonicalUserName(user));
    if (session !== undefined) return session;
    if (user !== undefined) throw new P2pError('no-session', `No session with ${user} is open. GET_CLIENT_INFO ${user} opens one.`);
    const others = this.all.map(({ peer }) => peer);
    throw new P2pError(
      'no-session',
      others.length > 0
        ? `No session is chosen. SWITCH_SESSION <user> chooses one of: ${others.join(', ')}.`
        : 'You are not in a session. GET_CLIENT_LIST shows who is online, GET_CLIENT_INFO <user> opens a session.',
    );
  }

  /** From 1; the lowest that was free when the session began. */
  numberOf(user: string): number | undefined {
    return this.#numbers.get(canonicalUserName(user));
  }

  /** Makes a session current. Digits in a string are a name where there is one like that. @throws P2pError `no-session`. */
  switchTo(session: string | number): Session {
    const numbered = this.all.find(({ peer }) => this.numberOf(peer) === Number(session));
    const named = typeof session === 'string' && !(/^\d$/u.test(session) && numbered !== undefined && !this.#sessions.has(session));
    if (named) this.#current = this.find(session);
    else if (numbered !== undefined) this.#current = numbered;
    else throw this.#noSuchNumber(session);
    return this.#current;
  }

  /**
   * Opens a session with `user`, or makes the open one current; one that is being re-made is tried at once.
   *
   * @throws P2pError as {@link Introductions.ask}.
   */
  async open(user: string): Promise<PeerInfo> {
    const name = canonicalUserName(user);
    this.#opening.add(name);
    try {
      return await this.#open(user, name);
    } finally {
      this.#opening.delete(name);
    }
  }

  async #open(user: string, name: string): Promise<PeerInfo> {
    for (let known = this.#sessions.get(name); known !== undefined; known = this.#sessions.get(name)) {
      try {
        await known.retry();
      } catch (error) {
        // The other has ended it: the person wants a new one.
        if (!(error instanceof P2pError) || error.code !== 'session-closed') throw error;
      }
      if (known.state === 'open') {
        this.#current = known;
        return infoOf(known.introduced);
      }
      if (known.state === 'ending') await known.ended;
    }
    if (this.#sessions.size >= peerLimits.sessions) {
      throw new P2pError('already-connected', `${peerLimits.sessions} sessions are open. Close one with CLOSE_SESSION first.`);
    }
    const introduced = await this.#options.introductions().ask(user);
    await this.admit(introduced);
    if (this.#options.isBlocked(introduced.peer, introduced.fingerprint)) {
      throw new P2pError('blocked', `You have blocked ${user}, or somebody with the same key. LIST_BLOCKED shows whom.`);
    }
    if (!this.#options.isKnownKey(introduced.peer, introduced.fingerprint)) {
      throw new P2pError('peer-key-changed', `You have accepted another key of ${user} meanwhile. GET_CLIENT_INFO ${user} asks again.`);
    }
    return infoOf(introduced);
  }

  /** Makes a session of a link, or lets the one with this peer go on over it. Never rejects. */
  async admit(introduced: Introduced): Promise<void> {
    const { peer, direction, fingerprint, firstContact, link } = introduced;
    const name = canonicalUserName(peer);
    // The person may have decided about this peer while the link came about.
    if (!this.#isWelcome(introduced)) {
      void link.close({ type: 'close' });
      return;
    }
    if (link.said.ended === true) {
      link.destroy();
      return;
    }
    if (introduced.provisional && !(await this.#requests.ask(peer, fingerprint))) {
      void link.close({ type: 'close' });
      return;
    }
    let known = this.#sessions.get(name);
    // One that ends is waited for, since another may have taken its place by then.
    for (; known?.state === 'ending'; known = this.#sessions.get(name)) await known.ended;
    // Or since it was asked about, or the last session ended.
    if (!this.#isWelcome(introduced)) {
      void link.close({ type: 'close' });
      return;
    }
    if (this.#closed) {
      link.destroy();
      return;
    }
    const { continues } = link;
    if (continues !== undefined && continues !== known?.id) {
      // It has ended, or begun anew, since our hello. In the one case the other is to know, in the other to ask again.
      if (known === undefined) void link.close({ type: 'close' });
      else link.destroy();
      return;
    }
    if (known !== undefined) {
      if (this.#opening.has(name)) this.#current = known;
      known.take(introduced);
      return;
    }
    const session = new Session({
      introduced,
      clock: this.#options.clock,
      makeTransfers: (emit) => this.#options.makeTransfers(introduced, emit),
      reconnect: (lost) => this.#reconnect(lost),
      emit: (event) => this.#options.emit(event),
      onEnd: (ended, end) => this.#onEnd(ended, end),
    });
    this.#sessions.set(name, session);
    this.#numbers.set(name, this.#freeNumber());
    if (this.#opening.has(name) || this.#current === undefined) this.#current = session;
    void this.#options.emit({ event: 'session-opened', peer, direction, path: 'direct', address: link.address, fingerprint, firstContact, current: session === this.#current, verified: this.#options.isVerified(peer) });
    session.start();
  }

  /** What our hello says to `peer`; `heard`: the asker's, where we answer. */
  continuity(peer: string, heard: Continuity | undefined): Continuity {
    const name = canonicalUserName(peer);
    if (heard?.session !== undefined && this.#ended.tell(heard.session, name)) return { ended: true };
    return this.#sessions.get(name)?.continuity(heard?.session) ?? {};
  }

  /** Whether the session with this peer waits for a link. */
  isLost(peer: string): boolean {
    return this.#sessions.get(canonicalUserName(peer))?.state === 'lost';
  }

  /** Whether to let this peer in. One with whom there is a session comes because its link broke. */
  async consent(peer: string, fingerprint: string): Promise<Consent> {
    const name = canonicalUserName(peer);
    const known = this.#sessions.get(name);
    if (known !== undefined && known.state !== 'ending' && known.fingerprint === fingerprint) return 'granted';
    if (this.#sessions.size >= peerLimits.sessions) return 'refused';
    if (this.#options.policy === 'auto') return 'granted';
    if (this.#ended.hasUntold(name)) return 'provisional';
    return (await this.#requests.ask(peer, fingerprint)) ? 'granted' : 'refused';
  }

  /** An introduction failed that no command began. While the session with this peer is being re-made, that is no news. A changed key is told of by its own event. */
  onWarning(error: P2pError, peer: string): void {
    if (error.code === 'peer-key-changed') return;
    if (this.#sessions.has(canonicalUserName(peer)) && !LOUD.includes(error.code)) debug('%s: %s', peer, error.message);
    else void this.#options.emit({ event: 'warning', code: error.code, message: error.message, peer });
  }

  /** The server link is back: whoever waits for a peer need not wait longer. */
  hurry(): void {
    for (const session of this.#sessions.values()) session.hurry();
  }

  /** @throws P2pError `no-session`. */
  answer(accept: boolean, user?: string): void {
    this.#requests.answer(accept, user);
  }

  /** @throws P2pError `session-open` where there is a session, with a link or without. */
  checkNone(): void {
    const open = this.all.filter(({ state }) => state !== 'ending');
    if (open.length === 0) return;
    const lost = open.filter(({ state }) => state === 'lost').map(({ peer }) => peer);
    const more = lost.length === 0 ? '' : ` The connection to ${lost.join(', ')} is being re-made.`;
    throw new P2pError('session-open', `A session with ${open.map(({ peer }) => peer).join(', ')} is open. End it with CLOSE_SESSION, then DISCONNECT_CLIENT.${more}`);
  }

  /** Whether there is a session with `user`, with a link or without. */
  has(user: string): boolean {
    const session = this.#sessions.get(canonicalUserName(user));
    return session !== undefined && session.state !== 'ending';
  }

  /** Ends the session with `user` if it is under another key. */
  async dropUnless(user: string, fingerprint: string): Promise<void> {
    const session = this.#sessions.get(canonicalUserName(user));
    if (session !== undefined && session.fingerprint !== fingerprint) await session.close();
  }

  /** Ends what there is with this peer (canonical name), and refuses what it asks for. */
  async drop(name: string): Promise<void> {
    this.#requests.refuse(name);
    await this.#sessions.get(name)?.close();
  }

  /** Ends all. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#requests.close();
    await Promise.all(this.all.map((session) => session.close()));
  }

  async #reconnect(session: Session): Promise<void> {
    const introductions = this.#options.introductions();
    if (introductions.awaits(session.peer)) throw new LinkLost('already-connected', `${session.peer} is just being connected. Wait a moment.`);
    const introduced = await introductions.ask(session.peer);
    if (session.state === 'ending') void introduced.link.close({ type: 'close' });
    else await this.admit(introduced);
    if (session.state !== 'open') throw new LinkLost('link-lost', `The connection to ${session.peer} broke again.`);
  }

  #isWelcome({ peer, fingerprint }: Introduced): boolean {
    return !this.#options.isBlocked(peer, fingerprint) && this.#options.isKnownKey(peer, fingerprint);
  }

  #freeNumber(): number {
    const taken = new Set(this.#numbers.values());
    let free = 1;
    while (taken.has(free)) free += 1;
    return free;
  }

  #noSuchNumber(number: string | number): P2pError {
    const open = this.all.map(({ peer }) => `${this.numberOf(peer)} ${peer}`);
    const next = open.length === 0 ? 'None is open; GET_CLIENT_INFO <user> opens one.' : `Open are: ${open.join(', ')}.`;
    return new P2pError('no-session', `There is no session number ${number}. ${next}`);
  }

  #onEnd(session: Session, { code, reason, undelivered, ours }: Ended): void {
    const name = canonicalUserName(session.peer);
    this.#sessions.delete(name);
    this.#numbers.delete(name);
    if (ours !== undefined) this.#ended.add(session.id, name, ours === 'told');
    // No other session takes its place: a line typed at this moment must not reach somebody else (DESIGN 6).
    if (this.#current === session) this.#current = undefined;
    void this.#options.emit({ event: 'session-closed', peer: session.peer, reason, code, undelivered });
  }
}

function infoOf({ peer, fingerprint, addresses }: Introduced): PeerInfo {
  return { user: peer, fingerprint, addresses };
}
