/**
 * Sessions that this person ended, or this program for the peer's misbehaviour, until their peers know (PROTOCOL.md 7.3.1): a
 * peer whose link was down at that moment still tries to get it back.
 */
import { peerLimits } from '../protocol/limits.js';

export class EndedSessions {
  /** By session id, the latest last. */
  readonly #ended = new Map<string, { readonly name: string; told: boolean }>();

  /** `name`: the peer's canonical name. `told`: the end was said over a link. */
  add(session: string, name: string, told: boolean): void {
    this.#ended.set(session, { name, told });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > peerLimits.rememberedSessions && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** Whether `session` with this peer has ended; the peer is told so now. */
  tell(session: string, name: string): boolean {
    const ended = this.#ended.get(session);
    if (ended?.name !== name) return false;
    ended.told = true;
    return true;
  }

  /** Whether this peer may be asking only because it does not know of an end. */
  hasUntold(name: string): boolean {
    return [...this.#ended.values()].some((ended) => ended.name === name && !ended.told);
  }
}
