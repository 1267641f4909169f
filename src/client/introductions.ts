/**
 * From "connect me with bob" to an authenticated peer link, from either side (PROTOCOL.md 5.5, 7.1).
 *
 * Owns running introductions: consent, crossed asks, pins of peers, the race of paths. What happens on the link is the
 * session's business.
 */
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { debuglog } from 'node:util';
import type { Clock } from '../net/clock.js';
import { deferred, type Deferred } from '../net/deferred.js';
import { localAddresses } from '../net/local-addresses.js';
import { authenticatePeer, roleOfAccepted } from '../net/peer-handshake.js';
import type { Continuity, PeerLink } from '../net/peer-link.js';
import type { PeerListener } from '../net/peer-listener.js';
import { NoPath, race } from '../net/race.js';
import { formatEndpoint, ownCandidates } from '../protocol/candidates.js';
import { errorText, LinkLost, P2pError, RequestRefused } from '../protocol/errors.js';
import type { Candidate, Reach } from '../protocol/fields.js';
import { clientLimits, peerLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { PeerRole } from '../protocol/peer-messages.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import { Agreements } from './agreements.js';
import type { Direction } from './api.js';
import { AwaitedPeer } from './awaited-peer.js';
import { LinkMoves } from './link-moves.js';
import { pathsTo } from './peer-paths.js';
import type { PeerTrust } from './peer-trust.js';
import type { ServerLink } from './server-link.js';

const debug = debuglog('p2p-introduction');

/** The answer to a peer who asks; `provisional`: yes, but {@link Introduced.provisional}. */
export type Consent = 'granted' | 'provisional' | 'refused';

/** A link that is ready for its session. */
export interface Introduced {
  readonly introduction: string;
  readonly peer: string;
  readonly fingerprint: string;
  /** `outgoing`: we were the asker. */
  readonly direction: Direction;
  readonly link: PeerLink;
  /** `ip:port`, the one in use first. */
  readonly addresses: readonly string[];
  readonly firstContact: boolean;
  /** The person is still to be asked before a session begins. */
  readonly provisional: boolean;
}

export interface IntroductionOptions {
  readonly user: string;
  readonly fingerprint: string;
  readonly context: SecureContext;
  readonly clock: Clock;
  readonly agent: string;
  /** Which keys may be whose. */
  readonly trust: Pick<PeerTrust, 'check' | 'met'>;
  readonly listener: Pick<PeerListener, 'port'>;
  /** @throws LinkLost while the server link is down. */
  serverLink(): Pick<ServerLink, 'send' | 'request'>;
  /** Whether the person wants nothing to do with this peer, who must not be able to tell. */
  isBlocked(peer: string, fingerprint: string): boolean;
  /** Whether to let this peer in; a person may be asked. */
  consent(peer: string, fingerprint: string): Promise<Consent>;
  /** What hello says about a session with this peer; `heard`: what the asker's did, where we answer. */
  continuity(peer: string, heard: Continuity | undefined): Continuity;
  /** Whether a session with this peer waits for a link. */
  isLost(peer: string): boolean;
  /** A peer that asked for us is connected. */
  onIncoming(introduced: Introduced): void;
  /** An introduction failed that no command of this person began. */
  onWarning(error: P2pError, peer: string): void;
}

/** An ask of ours. */
interface Asking {
  /** Resolved by the link that the other's crossed ask has led to. */
  readonly crossed: Deferred<Introduced>;
  /** Ends it where another link has come. */
  readonly stop: AbortController;
  /** The server has answered, and paths are tried. */
  racing: boolean;
}

export class Introductions {
  readonly #options: IntroductionOptions;
  /** Questions without an answer yet, by introduction id. */
  readonly #deciding = new Set<string>();
  readonly #agreements: Agreements;
  /** By introduction id. */
  readonly #running = new Map<string, AwaitedPeer>();
  /** Asks of ours that have not led to a link yet, by canonical name. */
  readonly #asking = new Map<string, Asking>();
  /** Peers whose crossed ask stands instead of ours, or has led to a link already. */
  readonly #yielded = new Set<string>();
  readonly #stop = new AbortController();
  /** Links that go over to another connection. */
  readonly #moves: LinkMoves;

  constructor(options: IntroductionOptions) {
    this.#options = options;
    const { context, clock, agent, listener } = options;
    this.#moves = new LinkMoves({ context, clock, agent, listener, signal: this.#stop.signal });
    this.#agreements = new Agreements(options.clock);
  }

  /** Whether the listener should let strangers in. Already before an introduction: the other side may have its own sooner. */
  get expecting(): boolean {
    return this.#running.size + this.#agreements.size + this.#asking.size + this.#moves.awaited.length > 0;
  }

  /** Whether a link with this peer may come at any moment, since we have agreed to its wish or are on our way. */
  awaits(user: string): boolean {
    const name = canonicalUserName(user);
    return this.#expected().some((one) => canonicalUserName(one.user) === name && !one.saidEnded);
  }

  /**
   * Asks for `user` and connects.
   *
   * @throws P2pError `session-closed` where a session was to go on that `user` has ended; `unavailable`, `no-path`, `peer-key-changed`, `peer-key-wrong`, `already-connected`, `link-lost`.
   */
  async ask(user: string): Promise<Introduced> {
    const name = canonicalUserName(user);
    if (name === canonicalUserName(this.#options.user)) throw new P2pError('unavailable', 'That is you. GET_CLIENT_LIST shows who else is online.');
    if (this.#asking.has(name)) throw new P2pError('already-connected', `${user} is being asked already. Wait for the answer.`);
    const crossed = deferred<Introduced>({ quiet: true });
    const asking: Asking = { crossed, stop: new AbortController(), racing: false };
    this.#asking.set(name, asking);
    try {
      const link = this.#options.serverLink();
      const introduction = await link.request({ type: 'connect', to: user, reach: this.#reach() }, 'introduction');
      const { peer, role } = introduction;
      if (role !== 'asker' || canonicalUserName(peer.user) !== name) {
        throw new P2pError('peer-key-wrong', `You asked for ${user}, and the server introduces ${peer.user}. Refused. Ask its operator.`);
      }
      asking.racing = true;
      const introduced = await this.#run(this.#await(introduction.introduction, role, peer), introduction.candidates, 'outgoing', asking.stop.signal);
      // A link that the other's ask has led to as well has nobody who takes it.
      void crossed.promise.then((second) => second.link.destroy(), (error: unknown) => debug('crossed: %s', errorText(error)));
      return introduced;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      if (!this.#yielded.has(name)) throw askError(error, user);
      return await this.#within(crossed.promise, user);
    } finally {
      this.#asking.delete(name);
      this.#yielded.delete(name);
    }
  }

  /** Somebody asks for us. */
  async onAsked(message: ServerMessageOf<'asked'>): Promise<void> {
    const { introduction, from } = message;
    if (this.#stop.signal.aborted || this.#deciding.has(introduction) || this.#agreements.has(introduction)) return;
    let consent: Consent = 'refused';
    if (this.#deciding.size < clientLimits.questions && this.#agreements.size + this.#running.size < peerLimits.sessions) {
      this.#deciding.add(introduction);
      try {
        consent = await this.#decide(from.user, from.fingerprint);
      } finally {
        this.#deciding.delete(introduction);
      }
    }
    debug('asked by %s: %s', from.user, consent);
    const accept = consent !== 'refused';
    try {
      const link = this.#options.serverLink();
      if (accept) this.#agreements.add(this.#await(introduction, 'answerer', from, consent === 'provisional'));
      link.send({ type: 'answer', introduction, reach: accept ? this.#reach() : null });
    } catch (error) {
      // The server link went while the person thought; the asker is told so by the server.
      if (!(error instanceof LinkLost)) throw error;
    }
  }

  /** The server introduces somebody; ignored unless we agreed to exactly that. */
  async onIntroduction(message: ServerMessageOf<'introduction'>): Promise<void> {
    const awaited = this.#agreements.take(message);
    const { user } = message.peer;
    if (awaited === undefined) {
      debug('nobody agreed to an introduction to %s', user);
      return;
    }
    const asking = this.#asking.get(canonicalUserName(user));
    const overtakes = asking !== undefined && this.#overtakes(asking, user);
    if (asking !== undefined && !overtakes) this.#yielded.add(canonicalUserName(user));
    try {
      const introduced = await this.#run(awaited, message.candidates, 'incoming');
      if (overtakes) asking.stop.abort();
      if (asking === undefined || overtakes) this.#options.onIncoming(introduced);
      else asking.crossed.resolve(introduced);
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      if (asking !== undefined && !overtakes) asking.crossed.reject(askError(error, user));
      else if (!this.#stop.signal.aborted && !awaited.saidEnded) this.#options.onWarning(askError(error, user), user);
    }
  }

  /** A socket from the listener. Never rejects: whoever it was, they were not let in. */
  async onSocket(raw: Socket): Promise<void> {
    const { clock } = this.#options;
    try {
      const role = await roleOfAccepted(raw, () => this.#asking.size > 0 || this.#expected().some((one) => one.role === 'asker'), clock);
      const { link, expected } = await authenticatePeer(raw, role, () => [...this.#expected(), ...this.#moves.awaited], this.#handshake(this.#stop.signal));
      expected.arrived(link);
    } catch (error) {
      raw.destroy();
      if (!(error instanceof P2pError)) throw error;
      debug('a connection to the listener failed: %s', error.message);
    }
  }

  /** Ends all that is running. Idempotent. */
  close(): void {
    this.#stop.abort();
    this.#agreements.clear();
  }

  /** The session that comes of the other's crossed ask. @throws P2pError `unavailable` when it does not come in time. */
  #within(crossed: Promise<Introduced>, user: string): Promise<Introduced> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(2 * timeLimits.raceMs, () => {
        reject(new P2pError('unavailable', `${user} asked for you at the same moment, but the connection did not come about. Try again.`));
        void crossed.then((late) => late.link.destroy(), (error: unknown) => debug('late: %s', errorText(error)));
      });
      void crossed.then(resolve, reject).finally(() => timer.stop());
    });
  }

  #await(introduction: string, role: PeerRole, peer: { readonly user: string; readonly fingerprint: string }, provisional = false): AwaitedPeer {
    return new AwaitedPeer({ introduction, role, peer, provisional, continuity: (heard) => this.#options.continuity(peer.user, heard) });
  }

  #expected(): readonly AwaitedPeer[] {
    return [...this.#running.values(), ...this.#agreements.awaited];
  }

  #reach(): Reach {
    const { port } = this.#options.listener;
    return { port, candidates: ownCandidates(localAddresses(), port) };
  }

  #handshake(signal: AbortSignal) {
    const { context, clock, agent } = this.#options;
    return { context, clock, agent, signal, mover: this.#moves };
  }

  /** When asks cross, the one whose asker's name sorts first stands (PROTOCOL.md 5.5). */
  async #decide(peer: string, fingerprint: string): Promise<Consent> {
    const name = canonicalUserName(peer);
    if (name === canonicalUserName(this.#options.user) || this.#options.isBlocked(peer, fingerprint)) return 'refused';
    const asking = this.#asking.get(name);
    if (asking !== undefined && !this.#overtakes(asking, peer)) {
      if (canonicalUserName(this.#options.user) < name) return 'refused';
      this.#yielded.add(name);
      return 'granted';
    }
    try {
      await this.#options.trust.check(peer, fingerprint, 'incoming');
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      this.#options.onWarning(error, peer);
      return 'refused';
    }
    return await this.#options.consent(peer, fingerprint);
  }

  /**
   * Whether an ask of this peer is better than ours: it has agreed to ours and yet asks, so its program is not the one any more that
   * agreed.
   */
  #overtakes(asking: Asking, peer: string): boolean {
    return asking.racing && this.#options.isLost(peer);
  }

  async #run(awaited: AwaitedPeer, candidates: readonly Candidate[], direction: Direction, signal = this.#stop.signal): Promise<Introduced> {
    const { introduction, user, fingerprint } = awaited;
    this.#running.set(introduction, awaited);
    try {
      const firstContact = await this.#options.trust.check(user, fingerprint, direction);
      const link = await race(pathsTo(awaited, candidates, this.#handshake(this.#stop.signal)), {
        clock: this.#options.clock,
        timeoutMs: timeLimits.raceMs,
        signal: AbortSignal.any([this.#stop.signal, signal]),
        discard: (late) => late.destroy(),
      });
      try {
        await this.#options.trust.met(user, fingerprint, firstContact, direction);
      } catch (error) {
        link.destroy();
        throw error;
      }
      if (awaited.role === 'asker' && link.heard.ended === true) {
        void link.close();
        throw new P2pError('session-closed', `${user} has ended the session.`);
      }
      // Only now: the other side takes the session for open from here on.
      if (awaited.role === 'asker') link.sendGo();
      const others = candidates.map(({ address, port }) => formatEndpoint(address, port)).filter((one) => one !== link.address);
      return { introduction, peer: user, fingerprint, direction, link, addresses: [link.address, ...others], firstContact, provisional: awaited.provisional };
    } finally {
      awaited.end();
      this.#running.delete(introduction);
    }
  }
}

/** What the person reads when an introduction failed; says what to do next. */
function askError(error: P2pError, user: string): P2pError {
  if (error instanceof RequestRefused && error.code === 'unavailable') {
    return new P2pError('unavailable', `${user} cannot be reached: there is no such user, or not online, or not willing. GET_CLIENT_LIST shows who is online.`, { cause: error });
  }
  if (error instanceof NoPath) {
    const tried = error.failures.map(({ name, reason }) => `${name} (${reason})`).join(', ');
    return new P2pError('no-path', `No path to ${user} worked. Tried: ${tried}. If a firewall is in the way, open a port on one side and start with --listen-port.`, { cause: error });
  }
  return error;
}
