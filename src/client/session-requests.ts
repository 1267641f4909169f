/**
 * Questions to the person whether to let somebody in (`--sessions ask`), until they are answered or their time is up.
 */
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { timeLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';

export class SessionRequests {
  readonly #clock: Clock;
  readonly #onRequest: (peer: string, fingerprint: string) => void;
  /** By canonical name, oldest first. */
  readonly #deciding = new Map<string, (accept: boolean) => void>();

  constructor(clock: Clock, onRequest: (peer: string, fingerprint: string) => void) {
    this.#clock = clock;
    this.#onRequest = onRequest;
  }

  /** Resolves with the person's answer; false when none comes in time, or the same peer is being decided about. Never rejects. */
  ask(peer: string, fingerprint: string): Promise<boolean> {
    const name = canonicalUserName(peer);
    if (this.#deciding.has(name)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const decide = (accept: boolean) => {
        timer.stop();
        this.#deciding.delete(name);
        resolve(accept);
      };
      const timer = this.#clock.after(timeLimits.answerMs, () => decide(false));
      this.#deciding.set(name, decide);
      this.#onRequest(peer, fingerprint);
    });
  }

  /** Without `user` the oldest. @throws P2pError `no-session` where nobody (of this name) asks. */
  answer(accept: boolean, user?: string): void {
    const name = user === undefined ? [...this.#deciding.keys()][0] : canonicalUserName(user);
    const decide = name === undefined ? undefined : this.#deciding.get(name);
    if (decide === undefined) throw new P2pError('no-session', user === undefined ? 'Nobody is asking for a session.' : `${user} is not asking for a session.`);
    decide(accept);
  }

  /** Refuses what this peer (canonical name) asks for, if anything. */
  refuse(name: string): void {
    this.#deciding.get(name)?.(false);
  }

  /** Refuses everybody who waits. */
  close(): void {
    for (const decide of [...this.#deciding.values()]) decide(false);
  }
}
