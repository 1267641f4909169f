/**
 * Where the line editor's history and completions come from: the engine, the home folder, the file system.
 *
 * Owns what is remembered of the server's lists of who is online. Keys never wait for it: what is not there yet comes later, or
 * not at all.
 */
import { join } from 'node:path';
import type { ClientApi } from '../../client/api.js';
import type { Clock } from '../../net/clock.js';
import { P2pError } from '../../protocol/errors.js';
import { editingLimits } from '../../protocol/limits.js';
import { canonicalUserName, isUserName } from '../../protocol/names.js';
import type { Editor, EditorHost } from '../screen.js';
import type { CompletionSources } from './completion.js';
import { complete, hintFor } from './completion.js';
import type { HistoryStore } from './editing-types.js';
import { LineEditor } from './line-editor.js';
import type { FolderContents, ReadFolder } from './path-completion.js';

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

/** The file of the history in `home`. */
export function historyPath(home: string): string {
  return join(home, 'history');
}

/** Makes the editor that a screen gives its keys to. */
export function editorFor(history: HistoryStore, sources: CompletionSources): (host: EditorHost) => Editor {
  return ({ later, utf8 }) =>
    new LineEditor({
      history,
      complete: (line, cursor) => complete(line, cursor, sources),
      hintFor,
      later,
      lineBreakSign: utf8 ? '⏎' : '\\n',
    });
}

export function completionSources({ api, clock, homeDirectory, workingDirectory, readFolder, requests }: SourcesOptions): CompletionSources {
  const online = new OnlineNames(api, clock);
  return {
    homeDirectory,
    workingDirectory,
    readFolder: oneAtATime(readFolder),
    users: async (prefix) => {
      // Without those: what cannot be a name need not be asked for.
      const others = prefix === '' || isUserName(prefix) ? await online.beginningWith(prefix) : [];
      const known = [...api.sessions, ...api.people.filter(({ state }) => state !== 'offline').map(({ user }) => user)];
      const own = api.user === undefined ? [] : [canonicalUserName(api.user)];
      return withoutRepeats([...known, ...others], own);
    },
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
  #names: Promise<readonly string[]> = Promise.resolve([]);
  /** The list was not cut off by the server. */
  #complete = false;

  constructor(api: CompletedFrom, clock: Pick<Clock, 'now'>) {
    this.#api = api;
    this.#clock = clock;
  }

  beginningWith(prefix: string): Promise<readonly string[]> {
    const wanted = canonicalUserName(prefix);
    const covered = wanted === this.#prefix || (this.#complete && wanted.startsWith(this.#prefix));
    if (!covered || this.#clock.now() >= this.#until) this.#ask(wanted);
    return this.#names;
  }

  #ask(prefix: string): void {
    this.#prefix = prefix;
    this.#until = this.#clock.now() + editingLimits.namesFreshMs;
    this.#complete = false;
    this.#names = this.#api.listClients(prefix === '' ? undefined : prefix).then(
      ({ clients, total }) => {
        if (this.#prefix === prefix) this.#complete = clients.length >= total;
        return clients;
      },
      (error: unknown) => {
        // Without the server there is nobody to be named but those who are known anyway.
        if (!(error instanceof P2pError)) throw error;
        return [];
      },
    );
  }
}

/** A folder on a network that does not answer must not take up every thread that reads files. */
function oneAtATime(readFolder: ReadFolder): ReadFolder {
  let reading = false;
  return async (path, wanted): Promise<FolderContents> => {
    if (reading) return { entries: [], cut: true };
    reading = true;
    try {
      return await readFolder(path, wanted);
    } finally {
      reading = false;
    }
  };
}
