/**
 * Trust in the keys of peers: pins of `known_peers`, who is verified, and keys that changed and wait for the person's decision.
 *
 * Owns the rule that no session begins under a key that is not the pinned one, whoever asked. Who is introduced is the business of
 * introductions.ts; how safety numbers are made stands in security/safety-number.ts.
 */
import { debuglog } from 'node:util';
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { clientLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { Pin, PinFile } from '../security/pins.js';
import { safetyNumber } from '../security/safety-number.js';
import type { AcceptedKey, ClientEventOf, Direction, SafetyNumberInfo } from './api.js';

const debug = debuglog('p2p-trust');

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/u;

/** What {@link PeerTrust} needs of the pin file. */
export type KnownPeers = Pick<PinFile, 'all' | 'entry' | 'add' | 'replace' | 'setVerified'>;

export interface PeerTrustOptions {
  /** The own name and key. */
  readonly user: string;
  readonly fingerprint: string;
  /** `host:port` of the server: peers' names are unique only there. */
  readonly serverName: string;
  readonly knownPeers: KnownPeers;
  readonly clock: Clock;
  /** Whether a session with this peer is open. */
  hasSession(peer: string): boolean;
  /** A peer's key is not the pinned one. */
  onChanged(change: ClientEventOf<'key-changed'>): void;
}

/** Keys of one peer that were offered in place of the pinned one, oldest first. */
interface Undecided {
  readonly offered: string[];
  /** When the person was last told; {@link Clock.now}. */
  toldAt: number;
}

export class PeerTrust {
  readonly #options: PeerTrustOptions;
  /** As last read, by canonical name: for a prompt, which cannot wait. */
  readonly #pins = new Map<string, Pin>();
  /** By canonical name. */
  readonly #undecided = new Map<string, Undecided>();
  /** The key whose number the person was shown last, by canonical name. */
  readonly #shown = new Map<string, string>();

  constructor(options: PeerTrustOptions) {
    this.#options = options;
  }

  /** Learns whom the person knows. A file that cannot be read is told of when somebody is met. */
  async load(): Promise<void> {
    try {
      const suffix = `@${this.#options.serverName}`;
      for (const [name, pin] of await this.#options.knownPeers.all()) {
        if (name.endsWith(suffix)) this.#pins.set(name.slice(0, -suffix.length), pin);
      }
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      debug('%s', error.message);
    }
  }

  /** Whether the person has confirmed the pinned key of `user`. */
  isVerified(user: string): boolean {
    return this.#pins.get(canonicalUserName(user))?.verified !== undefined;
  }

  /** Whether this is the pinned key of `user`, as of the last look at it. */
  isKnownKey(user: string, fingerprint: string): boolean {
    return this.#pins.get(canonicalUserName(user))?.fingerprint === fingerprint;
  }

  /** Keys of `user` that wait for a decision. */
  undecided(user: string): readonly string[] {
    return this.#undecided.get(canonicalUserName(user))?.offered ?? [];
  }

  /** @throws P2pError `bad-pin-file`. */
  async pinOf(user: string): Promise<Pin | undefined> {
    const name = canonicalUserName(user);
    const pin = await this.#options.knownPeers.entry(this.#pinName(name));
    if (pin === undefined) this.#pins.delete(name);
    else this.#pins.set(name, pin);
    return pin;
  }

  /**
   * Whether a link with this key may be made. `direction`: `outgoing` where this side asks.
   *
   * @returns Whether this is the first contact. @throws P2pError `peer-key-changed`, which the person was told of; `peer-key-wrong`, `bad-pin-file`.
   */
  async check(peer: string, fingerprint: string, direction: Direction): Promise<boolean> {
    if (fingerprint === this.#options.fingerprint) throw new P2pError('peer-key-wrong', `The server says that ${peer} has your own key. Refused.`);
    const pin = await this.pinOf(peer);
    if (pin === undefined) return true;
    if (pin.fingerprint === fingerprint) return false;
    this.#tell(peer, pin, fingerprint, direction);
    throw new P2pError('peer-key-changed', `The key of ${peer} has changed, and nothing was sent. VERIFY ${peer} shows what to compare with ${peer} on another channel; ${commandFor(peer, pin)} accepts the new key.`);
  }

  /** A link with this key, which was checked, has come about. @throws P2pError as {@link check}, where another first contact was quicker. */
  async met(peer: string, fingerprint: string, firstContact: boolean, direction: Direction): Promise<void> {
    if (firstContact) {
      await this.#options.knownPeers.add(this.#pinName(canonicalUserName(peer)), fingerprint);
      await this.check(peer, fingerprint, direction);
    }
    // Whoever has the known key has not lost it.
    this.#undecided.delete(canonicalUserName(peer));
  }

  /**
   * Takes a changed key for the right one from now on. `end`: its last characters, or all of it, which then need not have been offered.
   *
   * @throws P2pError `no-key-change`; `bad-argument` where more is needed to say which, or the old key was verified; `bad-pin-file`.
   */
  async accept(user: string, end: string | undefined): Promise<AcceptedKey> {
    const pin = await this.pinOf(user);
    const chosen = end !== undefined && FINGERPRINT.test(end) ? end : this.#chosen(user, pin, end);
    if (chosen === this.#options.fingerprint) throw new P2pError('bad-argument', 'That is your own key.');
    if (chosen === pin?.fingerprint) throw new P2pError('no-key-change', `${user} is known with that key already.`);
    const name = canonicalUserName(user);
    await this.#options.knownPeers.replace(this.#pinName(name), chosen);
    this.#undecided.delete(name);
    this.#shown.delete(name);
    await this.pinOf(user);
    return { user, fingerprint: chosen, ...(pin === undefined ? {} : { previous: pin.fingerprint }), wasVerified: pin?.verified !== undefined };
  }

  /** The number of the key under which a session is or would be; of an offered key while that is to be decided. @throws P2pError `unknown-peer`, `peer-key-changed`, `bad-pin-file`. */
  async safetyNumber(user: string): Promise<SafetyNumberInfo> {
    const { user: self, fingerprint: own } = this.#options;
    if (canonicalUserName(user) === canonicalUserName(self)) throw new P2pError('bad-argument', 'A safety number is of you and somebody else.');
    const pin = await this.#knownPin(user);
    const offered = this.#options.hasSession(user) ? [] : this.undecided(user);
    if (offered.length > 1) throw manyOffered(user, offered);
    const fingerprint = offered[0] ?? pin.fingerprint;
    const parts = await safetyNumber({ user: self, fingerprint: own }, { user, fingerprint });
    const known = offered.length === 0;
    this.#shown.set(canonicalUserName(user), fingerprint);
    return {
      user,
      fingerprint,
      key: known ? 'known' : 'offered',
      ...(pin.since === undefined || !known ? {} : { since: pin.since }),
      verified: known && pin.verified !== undefined,
      ...(pin.verified === undefined || !known ? {} : { verifiedOn: pin.verified }),
      parts,
    };
  }

  /** Notes that the person has compared the safety number, or takes that back. @throws P2pError `unknown-peer`, `peer-key-changed`, `bad-pin-file`. */
  async markVerified(user: string, verified: boolean): Promise<SafetyNumberInfo> {
    const pin = await this.#knownPin(user);
    if (verified && !this.#options.hasSession(user) && this.undecided(user).length > 0) {
      throw new P2pError('peer-key-changed', `The key of ${user} has changed. Accept it first: ${commandFor(user, pin)}; then VERIFY ${user} yes.`);
    }
    const shown = this.#shown.get(canonicalUserName(user));
    if (verified && shown !== undefined && shown !== pin.fingerprint) {
      throw new P2pError('peer-key-changed', `The number that VERIFY ${user} showed is that of another key, ${shown}, not of the known one. VERIFY ${user} shows what to compare now.`);
    }
    const isSet = await this.#options.knownPeers.setVerified(this.#pinName(canonicalUserName(user)), pin.fingerprint, verified);
    if (!isSet) throw new P2pError('peer-key-changed', `The known key of ${user} has just changed. VERIFY ${user} shows what to compare now.`);
    return await this.safetyNumber(user);
  }

  async #knownPin(user: string): Promise<Pin> {
    const pin = await this.pinOf(user);
    if (pin === undefined) throw new P2pError('unknown-peer', `You have not met ${user} yet. GET_CLIENT_INFO ${user} opens a session; then VERIFY ${user}.`);
    return pin;
  }

  #chosen(user: string, pin: Pin | undefined, end: string | undefined): string {
    const offered = this.undecided(user);
    const [only] = offered;
    if (only === undefined) {
      throw new P2pError('no-key-change', `No changed key of ${user} waits for your decision. GET_CLIENT_INFO ${user} asks for ${user} again; ACCEPT_KEY ${user} SHA256:… takes a key that you know.`);
    }
    if (end === undefined) {
      if (offered.length > 1) throw manyOffered(user, offered);
      if (pin?.verified === undefined) return only;
      throw new P2pError(
        'bad-argument',
        `You had verified ${user}, so the name alone does not do. Compare the new key with ${user} over another channel (VERIFY ${user} shows how), then name its last characters: ${commandFor(user, pin)}. ` +
          `Known: ${pin.fingerprint}, now: ${only}.`,
      );
    }
    if (end.length < clientLimits.keyEndChars) throw new P2pError('bad-argument', `Give at least ${clientLimits.keyEndChars} of the last characters of the new fingerprint.`);
    const matching = offered.filter((one) => one.endsWith(end));
    const [match] = matching;
    if (match !== undefined && matching.length === 1) return match;
    throw new P2pError('bad-argument', `No key that ${user} was offered with ends so. Offered: ${offered.join(', ')}.`);
  }

  #tell(peer: string, pin: Pin, offered: string, direction: Direction): void {
    const name = canonicalUserName(peer);
    const now = this.#options.clock.now();
    const undecided = this.#undecided.get(name) ?? { offered: [], toldAt: Number.NEGATIVE_INFINITY };
    const isNew = !undecided.offered.includes(offered) && undecided.offered.length < clientLimits.offeredKeys;
    if (isNew) undecided.offered.push(offered);
    this.#undecided.set(name, undecided);
    if (!isNew && direction === 'incoming' && now - undecided.toldAt < timeLimits.keyChangeToldMs) return;
    undecided.toldAt = now;
    this.#options.onChanged({
      event: 'key-changed',
      peer,
      direction,
      known: pin.fingerprint,
      ...(pin.since === undefined ? {} : { since: pin.since }),
      verified: pin.verified !== undefined,
      offered,
      again: !isNew,
    });
  }

  #pinName(name: string): string {
    return `${name}@${this.#options.serverName}`;
  }
}

function manyOffered(user: string, offered: readonly string[]): P2pError {
  return new P2pError('peer-key-changed', `${offered.length} different keys were offered for ${user}, so somebody is lying. Ask ${user} over another channel, then name the right one: ACCEPT_KEY ${user} SHA256:… Offered: ${offered.join(', ')}.`);
}

function commandFor(user: string, pin: Pin): string {
  return pin.verified === undefined ? `ACCEPT_KEY ${user}` : `ACCEPT_KEY ${user} <last ${clientLimits.keyEndChars} characters of its fingerprint>`;
}
