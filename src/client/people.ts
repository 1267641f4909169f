/**
 * What this client knows of people beyond its sessions: whom its person has blocked, and who is there of those talked to.
 *
 * Brings the block list, presence and pins together. The blocked learn nothing: their asks are refused as if this person were
 * offline, by the same code and in the same words (PROTOCOL.md 5.5).
 */
import { join } from 'node:path';
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { serverLimits } from '../protocol/limits.js';
import { canonicalUserName, isUserName } from '../protocol/names.js';
import type { PinFile } from '../security/pins.js';
import type { BlockedPerson, BlockOutcome, ClientEventOf, ClientList } from './api.js';
import { BlockList } from './block-list.js';
import { Presence } from './presence.js';
import type { ServerLink } from './server-link.js';
import type { Sessions } from './sessions.js';
import { checkUser } from './user-names.js';

export interface PeopleOptions {
  readonly clock: Clock;
  readonly home: string;
  /** `host:port` of the server: names are unique only there. */
  readonly serverName: string;
  readonly knownPeers: Pick<PinFile, 'all' | 'find'>;
  readonly sessions: Pick<Sessions, 'all' | 'drop'>;
  /** @throws LinkLost while the server link is down. */
  serverLink(): Pick<ServerLink, 'request' | 'supports'>;
  emit(event: ClientEventOf<'presence' | 'people'>): void;
}

export class People {
  readonly presence: Presence;
  readonly #options: PeopleOptions;
  readonly #blocks: BlockList;
  #self = '';

  constructor(options: PeopleOptions) {
    const { clock, home } = options;
    this.#options = options;
    this.#blocks = new BlockList(join(home, 'blocked'));
    this.presence = new Presence({ clock, serverLink: () => options.serverLink(), emit: (event) => options.emit(event) });
  }

  /** To be called before anybody may ask. @throws P2pError `bad-block-list`. */
  async load(): Promise<void> {
    await this.#blocks.load();
  }

  /** After the login as `user`: watches those who have been talked to, and tells who of them is there. Never rejects with a P2pError. */
  async start(user: string): Promise<void> {
    this.#self = canonicalUserName(user);
    const end = `@${this.#options.serverName}`;
    try {
      const pinned = [...(await this.#options.knownPeers.all()).keys()].filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
      const names = pinned.filter((name) => isUserName(name) && name !== this.#self && !this.isBlocked(name));
      await this.presence.watch(names.slice(-serverLimits.watchedPerLink));
      const people = this.presence.people.filter(({ state }) => state !== 'offline');
      if (people.length > 0) this.#options.emit({ event: 'people', people });
    } catch (error) {
      // An unreadable file of pins is told where a pin is needed.
      if (!(error instanceof P2pError)) throw error;
    }
  }

  /** By name or, where it is given, by key. */
  isBlocked(user: string, fingerprint?: string): boolean {
    return this.#blocks.has(canonicalUserName(user), this.#options.serverName, fingerprint);
  }

  /** @throws P2pError `blocked`. */
  checkNotBlocked(user: string): void {
    if (this.isBlocked(user)) throw new P2pError('blocked', `You have blocked ${user}. UNBLOCK ${user} first.`);
  }

  get blocked(): readonly BlockedPerson[] {
    return this.#blocks.of(this.#options.serverName).map(({ user, fingerprint, since }) => ({
      user,
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(since === undefined ? {} : { since }),
    }));
  }

  /**
   * Ends what there is with `user`, and refuses from now on what they ask for.
   *
   * @throws P2pError `bad-argument`, `bad-name`, `bad-block-list`, `bad-pin-file`.
   */
  async block(user: string, list: (prefix: string) => Promise<ClientList>): Promise<BlockOutcome> {
    const name = this.#other(user);
    const { knownPeers, serverName, sessions } = this.#options;
    const fingerprint = sessions.all.find(({ peer }) => canonicalUserName(peer) === name)?.fingerprint ?? (await knownPeers.find(`${name}@${serverName}`));
    await this.#blocks.add(name, serverName, fingerprint);
    await sessions.drop(name);
    await this.presence.forget(name);
    const known = fingerprint !== undefined || (await isListed(name, list));
    return { user: name, known, ...(fingerprint === undefined ? {} : { fingerprint }) };
  }

  /** @throws P2pError `bad-argument`, `bad-name`, `bad-block-list`. */
  async unblock(user: string): Promise<void> {
    const name = this.#other(user);
    const { knownPeers, serverName } = this.#options;
    const fingerprint = await knownPeers.find(`${name}@${serverName}`);
    if (!(await this.#blocks.remove(name, serverName, fingerprint))) throw new P2pError('bad-argument', `${user} is not blocked. LIST_BLOCKED shows who is.`);
    if (fingerprint !== undefined) await this.presence.watch([name]);
  }

  /** Nobody who is blocked can leave words in a list. */
  withoutBlocked({ away, ...list }: ClientList): ClientList {
    const shown = away?.filter(({ user }) => !this.isBlocked(user)) ?? [];
    return shown.length === 0 ? list : { ...list, away: shown };
  }

  #other(user: string): string {
    checkUser(user);
    const name = canonicalUserName(user);
    if (name === this.#self) throw new P2pError('bad-argument', 'That is you. LIST_BLOCKED shows whom you have blocked.');
    return name;
  }
}

/** Whether somebody of that name is online; false where that cannot be learned now. */
async function isListed(name: string, list: (prefix: string) => Promise<ClientList>): Promise<boolean> {
  try {
    return (await list(name)).clients.some((one) => canonicalUserName(one) === name);
  } catch (error) {
    if (!(error instanceof P2pError)) throw error;
    return false;
  }
}
