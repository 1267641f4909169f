/**
 * Introductions (PROTOCOL.md 5.5): the asker's side, on the node that holds the asker's link.
 *
 * Owns what waits for an answer, its deadline, and what is told to whom. Addresses leave this file only after the target has
 * accepted, and only those that candidates.ts lets pass. The target's side is {@link PendingAsks} (pending-asks.ts).
 */
import { randomBytes } from 'node:crypto';
import { candidatesToPass, type Seen } from '../protocol/candidates.js';
import { RequestRefused } from '../protocol/errors.js';
import type { Reach } from '../protocol/fields.js';
import { serverLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ClientMessageOf, ServerMessage } from '../protocol/server-messages.js';
import type { Clock, Timer } from '../net/clock.js';
import type { Backend, LinkAddress, RoutedMessage } from './backend.js';
import type { Rates } from './rates.js';

/** The link of one who asks. */
export interface Asker {
  readonly address: LinkAddress;
  readonly identity: { readonly user: string; readonly fingerprint: string };
  readonly seen: Seen;
  send(message: ServerMessage): void;
}

interface Pending {
  readonly asker: Asker;
  readonly requestId: number;
  readonly target: string;
  readonly reach: Reach;
  readonly askedAt: number;
  /** `asking`: the target may still answer. `ended`: refused, and the asker waits for the moment at which it is told. */
  state: 'asking' | 'ended';
  timer: Timer;
}

export interface IntroductionsOptions {
  readonly backend: Pick<Backend, 'deliver'>;
  readonly clock: Clock;
  /** Per account. */
  readonly rates: Rates;
}

export class Introductions {
  readonly #options: IntroductionsOptions;
  /** By introduction id; at most {@link serverLimits.pendingIntroductionsPerAsker} of one link. */
  readonly #pending = new Map<string, Pending>();
  /** Introduction ids by link. */
  readonly #ofLink = new Map<string, Set<string>>();

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Begins one; the reply is sent later. @throws RequestRefused `rate-limited`. */
  async ask(asker: Asker, { id, to, reach }: ClientMessageOf<'connect'>): Promise<void> {
    const { backend, clock, rates } = this.#options;
    const { name, link } = asker.address;
    if ((this.#ofLink.get(link)?.size ?? 0) >= serverLimits.pendingIntroductionsPerAsker) {
      throw new RequestRefused('rate-limited', 'Too many of your requests wait for an answer. Wait for one of them.');
    }
    if (!(await rates.take(name))) throw new RequestRefused('rate-limited', 'You have asked for too many people within a minute. Wait a little.');
    const introduction = randomBytes(16).toString('base64url');
    const target = canonicalUserName(to);
    const timer = clock.after(timeLimits.answerMs, () => this.#refuse(introduction));
    this.#add(introduction, { asker, requestId: id, target, reach, askedAt: clock.now(), state: 'asking', timer });
    const asked: RoutedMessage = { kind: 'asked', introduction, from: asker.identity, asker: asker.address };
    if (target === name || !(await backend.deliver({ name: target }, asked))) this.#refuse(introduction);
  }

  /** The answer of a target; ignored unless it is the first, from the one who was asked. */
  async answered({ introduction, by, answerer, reach, seen }: Extract<RoutedMessage, { kind: 'answered' }>): Promise<void> {
    const pending = this.#pending.get(introduction);
    if (pending?.state !== 'asking' || pending.target !== answerer.name) return;
    if (reach === null) {
      this.#refuse(introduction);
      return;
    }
    const { asker, requestId } = pending;
    this.#remove(introduction);
    asker.send({
      type: 'introduction',
      id: requestId,
      introduction,
      role: 'asker',
      peer: by,
      candidates: candidatesToPass(reach, seen, asker.seen),
    });
    await this.#options.backend.deliver(answerer, {
      kind: 'introduced',
      introduction,
      peer: asker.identity,
      candidates: candidatesToPass(pending.reach, asker.seen, seen),
    });
  }

  /** The asker's link has ended: its targets need not answer any more. */
  async askerGone(link: string): Promise<void> {
    const ids = [...(this.#ofLink.get(link) ?? [])];
    await Promise.all(
      ids.map(async (introduction) => {
        const pending = this.#remove(introduction);
        if (pending?.state === 'asking') await this.#tellTarget(pending.target, introduction);
      }),
    );
  }

  /** Tells the asker, never sooner than anybody else is told: unknown, offline and refused take the same time. */
  #refuse(introduction: string): void {
    const pending = this.#pending.get(introduction);
    if (pending?.state !== 'asking') return;
    const { clock } = this.#options;
    pending.state = 'ended';
    pending.timer.stop();
    const early = pending.askedAt + timeLimits.unavailableMs - clock.now();
    const tell = () => {
      this.#remove(introduction);
      pending.asker.send({ type: 'error', id: pending.requestId, code: 'unavailable', message: `${pending.target} cannot be reached now.` });
    };
    if (early > 0) pending.timer = clock.after(early, tell);
    else tell();
  }

  async #tellTarget(target: string, introduction: string): Promise<void> {
    await this.#options.backend.deliver({ name: target }, { kind: 'ask-ended', introduction });
  }

  #add(introduction: string, pending: Pending): void {
    this.#pending.set(introduction, pending);
    const { link } = pending.asker.address;
    const ids = this.#ofLink.get(link) ?? new Set();
    this.#ofLink.set(link, ids.add(introduction));
  }

  #remove(introduction: string): Pending | undefined {
    const pending = this.#pending.get(introduction);
    if (pending === undefined) return undefined;
    pending.timer.stop();
    this.#pending.delete(introduction);
    const { link } = pending.asker.address;
    const ids = this.#ofLink.get(link);
    ids?.delete(introduction);
    if (ids?.size === 0) this.#ofLink.delete(link);
    return pending;
  }
}
