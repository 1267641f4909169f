/**
 * The backend of a single server: accounts in LMDB, presence in memory, every link on this node.
 *
 * Needs nothing but a directory. What it promises stands in backend.ts.
 */
import { canonicalUserName } from '../protocol/names.js';
import type { Account, Backend, LinkAddress, ListPage, ListRequest, Present, PresenceHandler, RoutedMessage, RouteHandler, ServerSecrets } from './backend.js';
import { Presence } from './presence.js';
import type { Store } from './store.js';

export class EmbeddedBackend implements Backend {
  readonly #store: Store;
  readonly #presence = new Presence();
  #handler: RouteHandler = () => undefined;
  #presenceHandler: PresenceHandler = () => undefined;

  /** Takes over `store` and closes it. */
  constructor(store: Store) {
    this.#store = store;
  }

  get secrets(): ServerSecrets {
    return this.#store.secrets;
  }

  createAccount(account: Account): Promise<boolean> {
    return this.#store.createAccount(canonicalUserName(account.user), account);
  }

  hasAccount(name: string): Promise<boolean> {
    return Promise.resolve(this.#store.hasAccount(name));
  }

  findForLogin(name: string): Promise<{ account: Account; genuine: boolean }> {
    return new Promise((resolve) => {
      const account = this.#store.findAccount(name);
      resolve({ account: account ?? this.#store.readDecoy(), genuine: account !== undefined });
    });
  }

  announce({ name, link }: LinkAddress, user: string): Promise<void> {
    const displaced = this.#presence.put(name, { user, link });
    if (displaced !== undefined && displaced !== link) this.#handler(displaced, { kind: 'displaced' });
    this.#presenceHandler({ user, state: 'online', away: undefined });
    return Promise.resolve();
  }

  withdraw({ name, link }: LinkAddress): Promise<void> {
    const user = this.#presence.remove(name, link);
    if (user !== undefined) this.#presenceHandler({ user, state: 'offline', away: undefined });
    return Promise.resolve();
  }

  list(request: ListRequest): Promise<ListPage> {
    return Promise.resolve(this.#presence.list(request));
  }

  setAway({ name, link }: LinkAddress, text: string | undefined): Promise<void> {
    const user = this.#presence.setAway(name, link, text);
    if (user !== undefined) this.#presenceHandler({ user, state: text === undefined ? 'online' : 'away', away: text });
    return Promise.resolve();
  }

  find(names: readonly string[]): Promise<Present[]> {
    return Promise.resolve(names.map((name) => this.#presence.present(name)).filter((one) => one !== undefined));
  }

  deliver(to: { readonly name: string; readonly link?: string }, message: RoutedMessage): Promise<boolean> {
    const link = this.#presence.find(to.name);
    if (link === undefined || (to.link !== undefined && to.link !== link)) return Promise.resolve(false);
    this.#handler(link, message);
    return Promise.resolve(true);
  }

  receive(handler: RouteHandler): void {
    this.#handler = handler;
  }

  onPresence(handler: PresenceHandler): void {
    this.#presenceHandler = handler;
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
