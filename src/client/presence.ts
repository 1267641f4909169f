/**
 * Who comes and goes among the people that this person has talked to, and what this person says about being away (PROTOCOL.md 5.5.1).
 *
 * Owns what was told and when: what the server says of people who are not watched, again, or too often, is not passed on. The
 * server forgets everything with its link, so all of it is said again on the next.
 */
import { debuglog } from 'node:util';
import type { Clock, Timer } from '../net/clock.js';
import { errorText, P2pError } from '../protocol/errors.js';
import { serverLimits, textLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import type { ClientEventOf, PersonPresence } from './api.js';
import type { ServerLink } from './server-link.js';

const debug = debuglog('p2p-presence');

export interface PresenceOptions {
  readonly clock: Clock;
  /** @throws LinkLost while the server link is down. */
  serverLink(): Pick<ServerLink, 'request' | 'supports'>;
  emit(event: ClientEventOf<'presence'>): void;
}

/** One person who is watched. */
interface Watched {
  /** What the server said last; undefined: nothing yet. */
  known: PersonPresence | undefined;
  /** What was told as an event, or found at the beginning. */
  told: PersonPresence | undefined;
  /** When an event was told last. */
  toldAt: number;
  timer: Timer | undefined;
}

export class Presence {
  readonly #options: PresenceOptions;
  /** By canonical name, the one who matters most last. */
  readonly #watched = new Map<string, Watched>();
  #away: string | undefined;
  /** Until then it is no news that somebody is missing, since the server itself has come back. */
  #returningUntil = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** What this person says about being away; undefined: they are not. */
  get away(): string | undefined {
    return this.#away;
  }

  /** What is known of those who are watched. */
  get people(): readonly PersonPresence[] {
    return [...this.#watched.values()].flatMap(({ known }) => (known === undefined ? [] : [known]));
  }

  /** @throws P2pError `bad-argument`; `unavailable` where the server cannot do this; LinkLost. */
  async setAway(text: string | undefined): Promise<void> {
    const said = text?.trim();
    if (said === '') throw new P2pError('bad-argument', 'AWAY takes what others are to read, or nothing at all.');
    if (said !== undefined && said.length > textLimits.awayChars) {
      throw new P2pError('bad-argument', `AWAY takes at most ${textLimits.awayChars} characters; these are ${said.length}.`);
    }
    const link = this.#link();
    await link.request({ type: 'away', ...(said === undefined ? {} : { text: said }) }, 'away-set');
    this.#away = said;
  }

  /** Watches these as well; those named last stay when there are too many. Failures are left to the next link. */
  async watch(users: readonly string[]): Promise<void> {
    const names = users.map(canonicalUserName);
    const news = names.filter((name) => !this.#watched.has(name));
    for (const name of names) {
      const watched = this.#watched.get(name) ?? { known: undefined, told: undefined, toldAt: Number.NEGATIVE_INFINITY, timer: undefined };
      this.#watched.delete(name);
      this.#watched.set(name, watched);
    }
    for (const name of this.#watched.keys()) {
      if (this.#watched.size <= serverLimits.watchedPerLink) break;
      this.#forget(name);
    }
    if (news.length > 0) await this.#quietly(this.#ask());
  }

  /** Watches `user` from now on. @returns how things are. @throws P2pError `unavailable` where the server cannot tell; LinkLost. */
  async look(user: string): Promise<PersonPresence> {
    const name = canonicalUserName(user);
    const isNew = !this.#watched.has(name);
    await this.watch([name]);
    // What the server tells by itself may come late, so it is asked; a first watch has just done that.
    if (!isNew || this.#watched.get(name)?.known === undefined) await this.#ask();
    const known = this.#watched.get(name)?.known;
    // Of one who is not there the server knows no spelling.
    return known === undefined || known.state === 'offline' ? { user, state: 'offline' } : known;
  }

  /** Watches `user` no longer. */
  async forget(user: string): Promise<void> {
    if (this.#forget(canonicalUserName(user))) await this.#quietly(this.#ask());
  }

  /** The server link was re-made. */
  async renew(): Promise<void> {
    const { clock } = this.#options;
    this.#returningUntil = clock.now() + timeLimits.presenceReturnMs;
    if (this.#away !== undefined) await this.#quietly(this.setAway(this.#away));
    if (this.#watched.size > 0) await this.#quietly(this.#ask());
  }

  /** The server's news. */
  onPresence({ user, state, text }: ServerMessageOf<'presence'>): void {
    const watched = this.#watched.get(canonicalUserName(user));
    if (watched === undefined) return;
    watched.known = { user, state, ...(state === 'away' ? { text: text ?? '' } : {}) };
    this.#settle(watched);
  }

  /** Nothing is told any more. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const watched of this.#watched.values()) watched.timer?.stop();
  }

  /** @throws P2pError `unavailable`; LinkLost. */
  #link(): Pick<ServerLink, 'request' | 'supports'> {
    const link = this.#options.serverLink();
    if (link.supports('presence')) return link;
    throw new P2pError('unavailable', 'This server is too old to tell who comes, goes or is away. Ask its operator to update it.');
  }

  /** Names all who are watched to the server. @throws P2pError `unavailable`, `rate-limited`; LinkLost. */
  async #ask(): Promise<void> {
    const names = [...this.#watched.keys()];
    const { present } = await this.#link().request({ type: 'watch', users: names }, 'watching');
    const there = new Map(present.map(({ user, away }) => [canonicalUserName(user), { user, away }]));
    for (const name of names) {
      const watched = this.#watched.get(name);
      if (watched === undefined) continue;
      const { user, away } = there.get(name) ?? {};
      if (user === undefined) watched.known = { user: watched.known?.user ?? name, state: 'offline' };
      else watched.known = away === undefined ? { user, state: 'online' } : { user, state: 'away', text: away };
      // How things are at the beginning is no news.
      watched.told ??= watched.known;
      this.#settle(watched);
    }
  }

  /** For what the next link does again. */
  async #quietly(asking: Promise<void>): Promise<void> {
    try {
      await asking;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      debug('the server did not take it: %s', errorText(error));
    }
  }

  /** Tells what is new, at once or when it may be told. */
  #settle(watched: Watched): void {
    watched.timer?.stop();
    const { known, told } = watched;
    if (known === undefined || this.#closed || isSame(known, told)) return;
    const { clock } = this.#options;
    const due = Math.max(watched.toldAt + timeLimits.presenceEveryMs, known.state === 'offline' ? this.#returningUntil : Number.NEGATIVE_INFINITY);
    if (due > clock.now()) {
      watched.timer = clock.after(due - clock.now(), () => this.#settle(watched));
      return;
    }
    watched.told = known;
    watched.toldAt = clock.now();
    this.#options.emit({ event: 'presence', ...known, ...(told === undefined ? {} : { before: told.state }) });
  }

  #forget(name: string): boolean {
    this.#watched.get(name)?.timer?.stop();
    return this.#watched.delete(name);
  }
}

function isSame(one: PersonPresence, other: PersonPresence | undefined): boolean {
  return one.state === other?.state && one.text === other.text;
}
