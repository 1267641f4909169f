/**
 * What WAIT_FOR waits for, and what counts: so that a script has no race between a command and what answers it.
 *
 * What is a state (online, a session, an offer) may be so already. What happens (a message, a file) counts once: from the start of the
 * program on, unless an earlier WAIT_FOR has counted it. One object per run; it sees every event.
 */
import type { ClientApi, ClientEvent, ClientEventOf } from '../client/api.js';
import type { Clock, Timer } from '../net/clock.js';
import { LinkLost, P2pError } from '../protocol/errors.js';
import { terminalLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import { missedText, type Wait, type WaitEvent } from './wait-for.js';

/** What was waited for has come. */
export interface Awaited {
  readonly wait: Wait;
  /** Who it was about, where somebody was. */
  readonly peer: string | undefined;
  /** Of an offer or a file: its number. */
  readonly transfer: number | undefined;
}

interface Happening {
  readonly event: WaitEvent;
  readonly peer: string;
  readonly transfer?: number;
}

interface Waiter {
  readonly wait: Wait;
  settle(peer: string | undefined, transfer?: number): void;
  fail(error: P2pError): void;
  /** Asks how it is, where it is about presence. */
  look(): void;
}

export class Waits {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #waiters = new Set<Waiter>();
  /** What nobody has counted yet, oldest first. */
  #happened: Happening[] = [];
  #ended: P2pError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Every event of the engine must come through here. */
  see(event: ClientEvent): void {
    switch (event.event) {
      case 'message':
        if (event.direction === 'in') this.#happens({ event: 'message', peer: event.peer });
        return;
      case 'transfer-done':
        if (event.direction === 'incoming') this.#happens({ event: 'file', peer: event.peer, transfer: event.id });
        return;
      case 'offer':
        if (event.direction === 'incoming' && event.decision === 'ask') this.#becomes('offer', event.peer, event.id);
        return;
      case 'session-opened':
        this.#becomes('session', event.peer);
        return;
      case 'session-closed':
        this.#becomes('closed', event.peer);
        return;
      case 'presence':
        this.#becomes(event.state === 'offline' ? 'offline' : 'online', event.user);
        return;
      case 'server-back':
        for (const waiter of this.#waiters) waiter.look();
        return;
      case 'disconnected':
        this.#end(event);
        return;
      default:
    }
  }

  /**
   * Resolves when it has come, at once where it is so already.
   *
   * @throws P2pError `timed-out`; `unavailable` where the server cannot tell who is online; `closed` when the link to the server ends.
   */
  async until(api: ClientApi, wait: Wait): Promise<Awaited> {
    if (this.#ended !== undefined) throw this.#ended;
    const already = this.#already(api, wait);
    if (already !== undefined) return already;
    return await new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      let nextLook: Timer | undefined;
      const forget = () => {
        timer?.stop();
        nextLook?.stop();
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        wait,
        settle: (peer, transfer) => {
          // All have to be closed where nobody is named.
          if (wait.event === 'closed' && wait.user === undefined && api.sessions.length > 0) return;
          forget();
          resolve({ wait, peer, transfer });
        },
        fail: (error) => {
          forget();
          reject(error);
        },
        look: () => {
          if (wait.event !== 'online' && wait.event !== 'offline') return;
          nextLook?.stop();
          // Who comes and goes often is told late, or not at all.
          nextLook = this.#clock.after(terminalLimits.waitLookMs, () => waiter.look());
          void this.#look(api, waiter);
        },
      };
      this.#waiters.add(waiter);
      if (wait.timeoutMs !== undefined) timer = this.#clock.after(wait.timeoutMs, () => waiter.fail(timedOut(wait)));
      waiter.look();
    });
  }

  #already(api: ClientApi, wait: Wait): Awaited | undefined {
    const found = (peer: string | undefined, transfer?: number): Awaited => ({ wait, peer, transfer });
    switch (wait.event) {
      case 'session': {
        const peer = api.sessions.find((one) => isAbout(wait, one));
        return peer === undefined ? undefined : found(peer);
      }
      case 'closed':
        return api.sessions.some((one) => isAbout(wait, one)) ? undefined : found(wait.user);
      case 'offer': {
        const offer = api.transfers.find(({ peer, direction, state }) => direction === 'incoming' && state === 'offered' && isAbout(wait, peer));
        return offer === undefined ? undefined : found(offer.peer, offer.id);
      }
      case 'message':
      case 'file': {
        const index = this.#happened.findIndex(({ event, peer }) => event === wait.event && isAbout(wait, peer));
        const [happening] = index < 0 ? [] : this.#happened.splice(index, 1);
        return happening === undefined ? undefined : found(happening.peer, happening.transfer);
      }
      case 'online':
      case 'offline':
        return undefined;
    }
  }

  /** Asks how it is with the person of a wait for presence, now and then again; news come as events as well. */
  async #look(api: ClientApi, waiter: Waiter): Promise<void> {
    const { wait } = waiter;
    if (wait.user === undefined) return;
    try {
      const { user, state } = await api.watchUser(wait.user);
      if ((state === 'offline') === (wait.event === 'offline')) waiter.settle(user);
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      // Without a server, or one that has too much to do, there is nothing to learn now.
      if (!(error instanceof LinkLost) && error.code !== 'rate-limited') waiter.fail(error);
    }
  }

  /** A state begins: for all who wait for it. */
  #becomes(event: WaitEvent, peer: string, transfer?: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.wait.event === event && isAbout(waiter.wait, peer)) waiter.settle(peer, transfer);
    }
  }

  /** Something that counts once: for the one who waits longest, or the next who will. */
  #happens(happening: Happening): void {
    const first = [...this.#waiters].find(({ wait }) => wait.event === happening.event && isAbout(wait, happening.peer));
    if (first !== undefined) {
      first.settle(happening.peer, happening.transfer);
      return;
    }
    this.#happened.push(happening);
    if (this.#happened.length > terminalLimits.uncountedEvents) this.#happened.shift();
  }

  #end({ reason }: ClientEventOf<'disconnected'>): void {
    const ended = new P2pError('closed', reason);
    this.#ended = ended;
    for (const waiter of [...this.#waiters]) waiter.fail(ended);
  }
}

function isAbout({ user }: Wait, peer: string): boolean {
  return user === undefined || canonicalUserName(user) === canonicalUserName(peer);
}

function timedOut(wait: Wait): P2pError {
  return new P2pError('timed-out', `WAIT_FOR: ${missedText(wait)} Give it more time, or none for no limit.`);
}
