/**
 * What the person has not seen yet, and when to ring for it. Pure but for its memory and a clock.
 *
 * Owns unread counts, whether somebody is there, and the pace of notifications. How a terminal rings is the screen's business,
 * what stands in the prompt prompt.ts's.
 */
import type { ClientEvent, ClientEventOf } from '../client/api.js';
import type { Clock } from '../net/clock.js';
import { attentionLimits } from '../protocol/limits.js';
import { mentionsOf } from './mentions.js';

/** What to ring for. Text of others is in it: the screen neutralises. */
export interface Alert {
  readonly title: string;
  readonly text: string;
}

/** What attention depends on besides the event. */
export interface AttentionContext {
  readonly user: string | undefined;
  readonly current: string | undefined;
  /** The person has said to be away. */
  readonly saidAway: boolean;
}

export class Attention {
  readonly #clock: Pick<Clock, 'now'>;
  /** By peer with an open session, only where there are any. */
  readonly #unread = new Map<string, number>();
  /** Who has rung since the person was last here: the first message counts, not every one. */
  readonly #rang = new Set<string>();
  /** Undefined where the terminal does not tell whether somebody looks at it. */
  #focused: boolean | undefined;
  #activeAt: number;
  #alertAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#activeAt = clock.now();
  }

  /** The terminal says whether it is the one that the person looks at. */
  focus(here: boolean): void {
    this.#focused = here;
    if (here) this.active();
  }

  /** The person has done something. */
  active(): void {
    this.#activeAt = this.#clock.now();
    this.#rang.clear();
  }

  /** What came from `peer` is in view now. */
  read(peer: string): void {
    this.#unread.delete(peer);
  }

  unread(peer: string): number {
    return this.#unread.get(peer) ?? 0;
  }

  /** Counts, and tells whether to ring. */
  see(event: ClientEvent, context: AttentionContext): Alert | undefined {
    if (event.event === 'session-closed') {
      this.#unread.delete(event.peer);
      this.#rang.delete(event.peer);
    }
    const wanted = this.#wanted(event, context);
    if (wanted === undefined) return undefined;
    const now = this.#clock.now();
    if (now - this.#alertAt < attentionLimits.alertEveryMs) return undefined;
    this.#alertAt = now;
    return wanted;
  }

  #wanted(event: ClientEvent, context: AttentionContext): Alert | undefined {
    switch (event.event) {
      case 'message':
        return event.direction === 'in' ? this.#ofMessage(event, context) : undefined;
      case 'offer':
        if (event.direction === 'outgoing' || event.decision !== 'ask' || !this.#isAway(context)) return undefined;
        return { title: event.peer, text: `offers ${event.name}` };
      case 'session-request':
        return this.#isAway(context) ? { title: event.peer, text: 'asks for a session' } : undefined;
      case 'session-opened':
        return event.direction === 'incoming' && this.#isAway(context) ? { title: event.peer, text: 'opened a session with you' } : undefined;
      default:
        return undefined;
    }
  }

  /** Who is addressed is told always, unless the words appear before their eyes; of the rest the first while nobody is here. */
  #ofMessage({ peer, text }: ClientEventOf<'message'>, context: AttentionContext): Alert | undefined {
    const inView = peer === context.current;
    if (!inView) this.#unread.set(peer, this.unread(peer) + 1);
    const away = this.#isAway(context);
    const alert = { title: peer, text: text.slice(0, attentionLimits.alertChars) };
    if (mentionsOf(alert.text, context.user ?? '').length > 0) return away || !inView ? alert : undefined;
    if (!away || this.#rang.has(peer)) return undefined;
    this.#rang.add(peer);
    return alert;
  }

  #isAway({ saidAway }: AttentionContext): boolean {
    return saidAway || (this.#focused === undefined ? this.#clock.now() - this.#activeAt >= attentionLimits.idleMs : !this.#focused);
  }
}
