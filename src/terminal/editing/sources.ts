/**
 * Where the line editor's history and completions come from: the engine, the home folder, the file system.
 *
 * Owns what is remembered of the server's lists of who is online. What is not there yet comes later, or not at all; how long keys
 * wait for it is the screen's affair.
 */
import { join } from 'node:path';
import type { ClientApi, ClientEvent } from '../../client/api.js';
import type { Clock } from '../../net/clock.js';
import { P2pError } from '../../protocol/errors.js';
import { clientLimits, editingLimits } from '../../protocol/limits.js';
import { canonicalUserName, isUserName } from '../../protocol/names.js';
import type { Editor, EditorHost } from '../screen.js';
import type { CompletionSources } from './completion.js';
import { complete, hintFor } from './completion.js';
import { History } from './history.js';
import { LineEditor } from './line-editor.js';
import type { FolderContents, ReadFolder } from './path-completion.js';
import { readFolder } from './path-completion.js';

/** What of the engine completion reads. */
export type CompletedFrom = Pick<ClientApi, 'listClients' | 'sessions' | 'people' | 'blocked' | 'transfers' | 'user'>;

export interface SourcesOptions {
  readonly api: CompletedFrom;
  readonly clock: Pick<Clock, 'now'>;
  readonly homeDirectory: string;
  readonly workingDirectory: string;
  readonly readFolder: ReadFolder;
  /** Who asks for a session, oldest first. */
  readonly requests: () => readonly string[];
}

export interface EditingOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Where the history is kept. */
  readonly home: string;
  /** What `~` stands for. */
  readonly homeDirectory: string;
}

/** History and completion of one run of the program. */
export class Editing {
  readonly #options: EditingOptions;
  readonly #history: History;
  readonly #requests: string[] = [];
  /** Resolves when the history has been read, which begins at once; never rejects. */
  readonly #loaded: Promise<void>;
  /** Told, or to be told when somebody listens. */
  #warning: string | undefined;
  #warn: ((text: string) => void) | undefined;

  constructor(options: EditingOptions) {
    this.#options = options;
    this.#history = new History({
      path: join(options.home, 'history'),
      warn: (text) => {
        this.#warning = text;
        this.#warn?.(text);
      },
    });
    this.#loaded = this.#history.load();
  }

  /** `warn` is told when the history cannot be read or kept. @returns What makes the editor of a screen. */
  async start(api: CompletedFrom, warn: (text: string) => void): Promise<(host: EditorHost) => Editor> {
    await this.#loaded;
    this.#warn = warn;
    if (this.#warning !== undefined) warn(this.#warning);
    const { clock, homeDirectory } = this.#options;
    const history = this.#history;
    const sources = completionSources({ api, clock, homeDirectory, workingDirectory: '.', readFolder, requests: () => this.#requests });
    return ({ later, utf8 }) => new LineEditor({ history, complete: (line, cursor) => complete(line, cursor, sources), hintFor, later, lineBreakSign: utf8 ? '⏎' : '\\n' });
  }

  /** Remembers who asks for a session, until the session is there. */
  see(event: ClientEvent): void {
    if (event.event !== 'session-request' && event.event !== 'session-opened') return;
    const at = this.#requests.indexOf(event.peer);
    if (at >= 0) this.#requests.splice(at, 1);
    if (event.event === 'session-request' && this.#requests.length < clientLimits.questions) this.#requests.push(event.peer);
  }

  /** Resolves when all that was typed is in the history's file. */
  async close(): Promise<void> {
    await this.#history.settled();
  }
}

export function completionSources({ api, clock, homeDirectory, workingDirectory, readFolder, requests }: SourcesOptions): CompletionSources {
  const online = new OnlineNames(api, clock);
  return {
    homeDirectory,
    workingDirectory,
    readFolder: oneAtATime(readFolder),
    users: (prefix) => {
      const all = (others: readonly string[]) => {
        const known = [...api.sessions, ...api.people.filter(({ state }) => state !== 'offline').map(({ user }) => user)];
        return withoutRepeats([...known, ...others], api.user === undefined ? [] : [canonicalUserName(api.user)]);
      };
      // What cannot be a name need not be asked for.
      const others = prefix === '' || isUserName(prefix) ? online.beginningWith(prefix) : [];
      return others instanceof Promise ? others.then(all) : all(others);
    },
    offline: () => api.people.filter(({ state }) => state === 'offline').map(({ user }) => user),
    sessions: () => api.sessions,
    requests,
    blocked: () => api.blocked.map(({ user }) => user),
    transfers: () => api.transfers,
  };
}

/** In their order, the first of those that differ only in case. */
function withoutRepeats(names: readonly string[], without: readonly string[]): string[] {
  const seen = new Set(without);
  return names.filter((name) => {
    const canonical = canonicalUserName(name);
    if (seen.has(canonical)) return false;
    seen.add(canonical);
    return true;
  });
}

/** Lists of who is online, each used for some seconds: Tab must not become a flood of questions. */
class OnlineNames {
  readonly #api: CompletedFrom;
  readonly #clock: Pick<Clock, 'now'>;
  #prefix = '';
  #until = Number.NEGATIVE_INFINITY;
  /** A promise until the server has answered. */
  #names: Promise<readonly string[]> | readonly string[] = [];
  /** The list was not cut off by the server. */
  #complete = false;

  constructor(api: CompletedFrom, clock: Pick<Clock, 'now'>) {
    this.#api = api;
    this.#clock = clock;
  }

  beginningWith(prefix: string): Promise<readonly string[]> | readonly string[] {
    const wanted = canonicalUserName(prefix);
    const covered = wanted === this.#prefix || (this.#complete && wanted.startsWith(this.#prefix));
    if (!covered || this.#clock.now() >= this.#until) this.#ask(wanted);
    return this.#names;
  }

  #ask(prefix: string): void {
    this.#prefix = prefix;
    this.#until = this.#clock.now() + editingLimits.namesFreshMs;
    this.#complete = false;
    const asked = this.#api.listClients(prefix === '' ? undefined : prefix).then(
      ({ clients, total }) => {
        if (this.#names !== asked) return clients;
        this.#complete = clients.length >= total;
        // From now on keys that come faster than a promise find it as well.
        this.#names = clients;
        return clients;
      },
      (error: unknown) => {
        // Without the server there is nobody to be named but those who are known anyway.
        if (!(error instanceof P2pError)) throw error;
        return [];
      },
    );
    this.#names = asked;
  }
}

/** A folder on a network that does not answer must not take up every thread that reads files. */
function oneAtATime(read: ReadFolder): ReadFolder {
  let reading = false;
  return async (path, wanted): Promise<FolderContents> => {
    if (reading) return { entries: [], cut: true };
    reading = true;
    try {
      return await read(path, wanted);
    } finally {
      reading = false;
    }
  };
}
