/**
 * What became of one's own messages: which are under way, which wait for a connection, when all that waited has arrived.
 *
 * That a message arrives at once is the rule and needs no word; so this tells of the others.
 */
import type { ClientEvent } from '../client/api.js';
import type { Clock } from '../net/clock.js';
import { attentionLimits } from '../protocol/limits.js';

interface Underway {
  /** By number: since when, milliseconds. */
  readonly since: Map<number, number>;
  /** Those of them that have waited for a connection. */
  readonly waited: Set<number>;
  /** Of those that waited, how many have arrived since the last word about it. */
  arrived: number;
}

export class Delivery {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #peers = new Map<string, Underway>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @returns How many messages to the event's peer have now arrived that had waited for a connection; once, when none waits any more. */
  see(event: ClientEvent): number {
    if (event.event === 'message' && event.direction === 'out' && event.number !== undefined) this.#of(event.peer).since.set(event.number, this.#clock.now());
    if (event.event === 'session-closed') this.#peers.delete(event.peer);
    if (event.event !== 'message-state') return 0;
    const underway = this.#of(event.peer);
    if (event.state === 'waiting') underway.waited.add(event.number);
    if (event.state !== 'delivered' && event.state !== 'undelivered') return 0;
    underway.since.delete(event.number);
    if (underway.waited.delete(event.number) && event.state === 'delivered') underway.arrived += 1;
    const { arrived } = underway;
    if (underway.waited.size > 0) return 0;
    if (underway.since.size === 0) this.#peers.delete(event.peer);
    underway.arrived = 0;
    return arrived;
  }

  /** Messages to `peer` that wait for a connection, or have been under way for longer than usual. */
  undelivered(peer: string): number {
    const underway = this.#peers.get(peer);
    if (underway === undefined) return 0;
    const before = this.#clock.now() - attentionLimits.usualDeliveryMs;
    let count = 0;
    for (const [number, since] of underway.since) if (since <= before || underway.waited.has(number)) count += 1;
    return count;
  }

  /** Whether something is under way, so that {@link undelivered} may change with time alone. */
  get isUnderway(): boolean {
    return this.#peers.size > 0;
  }

  #of(peer: string): Underway {
    let underway = this.#peers.get(peer);
    if (underway === undefined) {
      underway = { since: new Map(), waited: new Set(), arrived: 0 };
      this.#peers.set(peer, underway);
    }
    return underway;
  }
}
