/**
 * To whom this client has said yes, until the server introduces them (PROTOCOL.md 5.5): a server that introduces anybody else,
 * or somebody twice, would get around the person's consent and could send the client dialling.
 */
import type { Clock, Timer } from '../net/clock.js';
import { timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import type { AwaitedPeer } from './awaited-peer.js';

export class Agreements {
  readonly #clock: Clock;
  /** By introduction id. */
  readonly #agreed = new Map<string, { readonly awaited: AwaitedPeer; readonly timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#agreed.size;
  }

  has(introduction: string): boolean {
    return this.#agreed.has(introduction);
  }

  /** Those who may arrive although the server has not introduced them yet. */
  get awaited(): AwaitedPeer[] {
    return [...this.#agreed.values()].map(({ awaited }) => awaited);
  }

  /** The server introduces at once or, where the asker has gone, never. */
  add(awaited: AwaitedPeer): void {
    const timer = this.#clock.after(timeLimits.raceMs, () => {
      this.#agreed.delete(awaited.introduction);
      awaited.end();
    });
    this.#agreed.set(awaited.introduction, { awaited, timer });
  }

  /** What was agreed to, once; undefined where it is not exactly this. */
  take({ introduction, role, peer }: ServerMessageOf<'introduction'>): AwaitedPeer | undefined {
    const agreed = this.#agreed.get(introduction);
    if (agreed === undefined) return undefined;
    agreed.timer.stop();
    this.#agreed.delete(introduction);
    const { awaited } = agreed;
    if (role === awaited.role && peer.fingerprint === awaited.fingerprint && canonicalUserName(peer.user) === canonicalUserName(awaited.user)) return awaited;
    awaited.end();
    return undefined;
  }

  /** Takes everything back. */
  clear(): void {
    for (const { awaited, timer } of this.#agreed.values()) {
      timer.stop();
      awaited.end();
    }
    this.#agreed.clear();
  }
}
