/**
 * Keeps the one server link of this client: opens it, re-makes it after a break, comes back by signature (DESIGN 3.7).
 *
 * Owns trust in the server's key over the whole run. Sessions with peers do not depend on it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { backOffMs } from '../net/back-off.js';
import type { Clock } from '../net/clock.js';
import { LinkLost, P2pError, RequestRefused } from '../protocol/errors.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import type { PinFile } from '../security/pins.js';
import type { ServerTrust } from './api.js';
import { resume, type Account } from './login.js';
import { ServerLink } from './server-link.js';

export interface KeeperOptions {
  readonly host: string;
  readonly port: number;
  readonly agent: string;
  readonly clock: Clock;
  readonly knownServers: PinFile;
  /** `host:port`, the name of the pin. */
  readonly serverName: string;
  readonly pin: string | undefined;
  onAsked(message: ServerMessageOf<'asked'>): void;
  onIntroduction(message: ServerMessageOf<'introduction'>): void;
  onPresence(message: ServerMessageOf<'presence'>): void;
  /** The link broke and is being re-made. */
  onLost(reason: string): void;
  onBack(): void;
  /** It will not be re-made. */
  onFinal(error: P2pError): void;
}

/** Ends that another attempt would only repeat. */
const FINAL: readonly string[] = ['displaced', 'not-authenticated', 'server-key-changed', 'unsupported-version', 'bad-pin-file'];

type State = 'idle' | 'up' | 'down' | 'closed';

interface SeenServer {
  readonly fingerprint: string;
  readonly trust: ServerTrust;
  /** The day of the first contact, where a pin tells it. */
  readonly since: string | undefined;
}

export class ServerLinkKeeper {
  readonly #options: KeeperOptions;
  readonly #stop = new AbortController();
  #state: State = 'idle';
  #link: ServerLink | undefined;
  #account: Account | undefined;
  /** The key seen at the first connection of this run; later ones must show the same. */
  #seen: SeenServer | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Fingerprint of the server and how it came to be trusted; undefined before the first connection. */
  get server(): SeenServer | undefined {
    return this.#seen;
  }

  /** Opens the first link. @throws P2pError `cannot-connect`, `server-key-changed`. */
  async connect(): Promise<void> {
    this.#link = await this.#open();
  }

  /**
   * Runs `action` on a live link before login. One that died while the person typed is re-made silently, once.
   *
   * @throws what `action` throws; P2pError `cannot-connect`.
   */
  async beforeLogin<T>(action: (link: ServerLink) => Promise<T>): Promise<T> {
    if (this.#link?.open !== true) this.#link = await this.#open();
    try {
      return await action(this.#link);
    } catch (error) {
      if (this.#stop.signal.aborted) throw hasLeft();
      if (!(error instanceof LinkLost)) throw error;
      void this.#link.close();
      this.#link = await this.#open();
      return await action(this.#link);
    }
  }

  /** From now on the link is kept: `account` comes back by signature whenever it breaks. Pins the server at first contact, or as `pin` says. */
  async keep(account: Account): Promise<void> {
    const { knownServers, serverName, pin } = this.#options;
    this.#account = account;
    if (this.#link !== undefined) this.#watch(this.#link);
    if (this.#seen?.trust === 'new') await knownServers.add(serverName, this.#seen.fingerprint);
    // Named in full by the person, and the login has shown that the server knows this account.
    else if (pin !== undefined) await knownServers.replace(serverName, pin);
  }

  /** The link for a request after login. @throws LinkLost while it is down. */
  get link(): ServerLink {
    if (this.#state === 'up' && this.#link !== undefined) return this.#link;
    throw new LinkLost('link-lost', 'The server cannot be reached at the moment; the link is being re-made. Open sessions go on. Try again in a few seconds.');
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#stop.abort();
    await this.#link?.close();
  }

  async #open(): Promise<ServerLink> {
    const { host, port, agent, clock } = this.#options;
    const { signal } = this.#stop;
    try {
      const link = await ServerLink.open({ host, port, agent, clock, signal, judge: (...key) => this.#judge(...key) });
      if (!signal.aborted) return link;
      await link.close();
    } catch (error) {
      if (!signal.aborted || !(error instanceof P2pError)) throw error;
    }
    throw hasLeft();
  }

  async #judge(fingerprint: string, trustedBySystem: boolean): Promise<ServerTrust> {
    const { pin, knownServers, serverName } = this.#options;
    if (this.#seen?.fingerprint === fingerprint) return this.#seen.trust;
    const known = pin === undefined ? await knownServers.entry(serverName) : undefined;
    const pinned = pin ?? known?.fingerprint;
    // A certificate that the system's roots accept may be renewed; it needs no pin unless one was demanded.
    if (pin === undefined && trustedBySystem) return this.#see(fingerprint, 'system');
    const expected = pinned ?? this.#seen?.fingerprint;
    if (expected === undefined) return this.#see(fingerprint, 'new');
    if (expected === fingerprint) return this.#see(fingerprint, 'known', known?.since);
    throw new P2pError('server-key-changed', changedText(serverName, expected, fingerprint, pin === undefined ? knownServers.path : undefined));
  }

  #see(fingerprint: string, trust: ServerTrust, since?: string): ServerTrust {
    this.#seen = { fingerprint, trust, since };
    return trust;
  }

  #watch(link: ServerLink): void {
    this.#link = link;
    this.#state = 'up';
    link.attach({
      onAsked: (message) => this.#options.onAsked(message),
      onIntroduction: (message) => this.#options.onIntroduction(message),
      onPresence: (message) => this.#options.onPresence(message),
      onEnd: (reason) => void this.#onEnd(reason),
    });
  }

  async #onEnd(reason: P2pError | undefined): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'down';
    if (reason !== undefined && FINAL.includes(reason.code)) {
      this.#options.onFinal(reason);
      return;
    }
    this.#options.onLost(reason?.message ?? 'The connection to the server was closed.');
    for (let attempt = 1; ; attempt += 1) {
      try {
        await wait(backOffMs(attempt, Math.random()), undefined, { signal: this.#stop.signal });
        await this.#comeBack();
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (!(error instanceof P2pError)) throw error;
        const final = finalCause(error);
        if (final !== undefined) {
          this.#options.onFinal(final);
          return;
        }
      }
    }
  }

  async #comeBack(): Promise<void> {
    if (this.#account === undefined) return;
    const link = await this.#open();
    try {
      this.#account = await resume(link, this.#account);
      if (this.#stop.signal.aborted) throw hasLeft();
    } catch (error) {
      await link.close();
      throw error;
    }
    this.#watch(link);
    this.#options.onBack();
  }
}

function hasLeft(): P2pError {
  return new P2pError('closed', 'You have left.');
}

/** The error that ends all attempts, or undefined where another attempt makes sense. */
function finalCause(error: P2pError): P2pError | undefined {
  const cause = error.code === 'cannot-connect' && error.cause instanceof P2pError ? error.cause : error;
  if (cause instanceof RequestRefused && cause.code === 'not-authenticated') {
    return new P2pError('not-authenticated', 'The server does not know this account any more, or its key has changed. Log in again.', { cause });
  }
  return FINAL.includes(cause.code) ? cause : undefined;
}

function changedText(name: string, expected: string, got: string, file: string | undefined): string {
  const accept =
    file === undefined
      ? 'If the new key is right: correct --pin.'
      : `If the new key is right: start once with --pin ${got}, which takes it from now on; or delete the line of ${name} in ${file}.`;
  return (
    `THE KEY OF THE SERVER ${name} HAS CHANGED. Nothing was sent, neither name nor password. Old key: ${expected} New key: ${got} ` +
    `Either the server was set up anew, or somebody sits between you and the server. Ask its operator on another channel. ${accept} Otherwise do not connect.`
  );
}
