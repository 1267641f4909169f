/**
 * Whom the links of this node watch, and when they are told what (PROTOCOL.md 5.5.1).
 *
 * Owns the calm: news settle first, nobody is told what it knows, and of one person only every few seconds, so that neither
 * links that break and come back nor somebody who toggles AWAY is a storm for others. Who is there is the backend's knowledge.
 */
import { serverLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import type { Clock, Timer } from '../net/clock.js';
import type { Backend, PresenceChange } from './backend.js';

export interface Watcher {
  /** Id of the link. */
  readonly link: string;
  tell(message: ServerMessageOf<'presence'>): void;
}

/** One person who is watched by somebody. */
interface Watched {
  /** What each watcher was told last; undefined where it was told nothing yet. */
  readonly watchers: Map<Watcher, string | undefined>;
  timer: Timer | undefined;
  toldAt: number;
}

export interface WatchesOptions {
  readonly backend: Pick<Backend, 'find'>;
  readonly clock: Clock;
}

export class Watches {
  readonly #options: WatchesOptions;
  /** By canonical name. */
  readonly #watched = new Map<string, Watched>();
  /** Canonical names, by link; at most {@link serverLimits.watchedPerLink} each. */
  readonly #ofLink = new Map<string, { readonly watcher: Watcher; readonly names: ReadonlySet<string> }>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** People watched by anybody. */
  get size(): number {
    return this.#watched.size;
  }

  /** From now on this link is told of `users`, and of nobody else. @returns those of them who are there, texts cut to fit. */
  async watch(watcher: Watcher, users: readonly string[]): Promise<ServerMessageOf<'watching'>['present']> {
    this.drop(watcher.link);
    const names = new Set(users.map(canonicalUserName));
    // Before anything is awaited: a link that ends meanwhile finds what to take back.
    this.#ofLink.set(watcher.link, { watcher, names });
    for (const name of names) {
      const watched = this.#watched.get(name) ?? { watchers: new Map(), timer: undefined, toldAt: Number.NEGATIVE_INFINITY };
      this.#watched.set(name, watched);
      watched.watchers.set(watcher, undefined);
    }
    const found = await this.#options.backend.find([...names]);
    const present = new Map(found.map((one) => [canonicalUserName(one.user), one]));
    for (const name of names) {
      const watchers = this.#watched.get(name)?.watchers;
      const one = present.get(name);
      if (watchers?.has(watcher) === true) watchers.set(watcher, one === undefined ? 'offline' : keyOf(one));
    }
    const fit = awayTexts();
    return found.map(({ user, away }) => ({ user, ...(away === undefined ? {} : { away: fit(away) }) }));
  }

  /** The link is gone, or watches others. Idempotent. */
  drop(link: string): void {
    const entry = this.#ofLink.get(link);
    this.#ofLink.delete(link);
    for (const name of entry?.names ?? []) {
      const watched = this.#watched.get(name);
      if (entry === undefined || watched === undefined) continue;
      watched.watchers.delete(entry.watcher);
      if (watched.watchers.size > 0) continue;
      watched.timer?.stop();
      this.#watched.delete(name);
    }
  }

  /** The backend's news. */
  changed(change: PresenceChange): void {
    const watched = this.#watched.get(canonicalUserName(change.user));
    if (watched === undefined) return;
    const { clock } = this.#options;
    watched.timer?.stop();
    const settled = clock.now() + (change.state === 'offline' ? timeLimits.absenceSettleMs : timeLimits.presenceSettleMs);
    const due = Math.max(settled, watched.toldAt + timeLimits.presenceEveryMs);
    watched.timer = clock.after(due - clock.now(), () => this.#tell(watched, change));
  }

  #tell(watched: Watched, { user, state, away }: PresenceChange): void {
    watched.timer = undefined;
    const key = keyOf({ state, away });
    for (const [watcher, told] of watched.watchers) {
      if (told === key) continue;
      watched.toldAt = this.#options.clock.now();
      watched.watchers.set(watcher, key);
      watcher.tell({ type: 'presence', user, state, ...(away === undefined ? {} : { text: away }) });
    }
  }
}

function keyOf({ state, away }: { readonly state?: PresenceChange['state']; readonly away: string | undefined }): string {
  return away === undefined ? (state ?? 'online') : `away ${away}`;
}

/** Lets texts through until those of one reply are {@link serverLimits.awayBytesPerReply} long; what follows becomes empty. */
export function awayTexts(): (text: string) => string {
  let room = serverLimits.awayBytesPerReply;
  return (text) => {
    room -= Buffer.byteLength(JSON.stringify(text)) - 2;
    return room >= 0 ? text : '';
  };
}
