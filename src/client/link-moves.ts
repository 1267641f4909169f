/**
 * Further connections for links that are open already (PROTOCOL.md 7.3.2): whom the listener lets in for one, and the dial for one.
 *
 * Owns who is awaited. What is said on the link about it stands in net/link-move.ts.
 */
import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { debuglog } from 'node:util';
import type { Clock } from '../net/clock.js';
import type { LinkMover } from '../net/link-move.js';
import { dialPeer, type Expected } from '../net/peer-handshake.js';
import type { PeerLink } from '../net/peer-link.js';
import type { PeerListener } from '../net/peer-listener.js';
import { mayDial } from '../protocol/candidates.js';
import { errorText, LinkLost } from '../protocol/errors.js';
import { peerLimits, timeLimits } from '../protocol/limits.js';

const debug = debuglog('p2p-link');

export interface LinkMovesOptions {
  readonly context: SecureContext;
  readonly clock: Clock;
  readonly agent: string;
  readonly listener: Pick<PeerListener, 'port'>;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
}

/** One dial that may come. */
interface AwaitedMove extends Expected {
  arrived(link: PeerLink): void;
}

export class LinkMoves implements LinkMover {
  readonly #options: LinkMovesOptions;
  readonly #awaited = new Set<AwaitedMove>();

  constructor(options: LinkMovesOptions) {
    this.#options = options;
  }

  /** What the listener is to expect. */
  get awaited(): readonly AwaitedMove[] {
    return [...this.#awaited];
  }

  newIntroduction(): string {
    return randomBytes(16).toString('base64url');
  }

  admit(introduction: string, fingerprint: string, onArrived: (link: PeerLink) => void): number | undefined {
    if (this.#awaited.size >= peerLimits.sessions) return undefined;
    const timer = this.#options.clock.after(timeLimits.moveMs, () => this.#awaited.delete(awaited));
    const awaited: AwaitedMove = {
      introduction,
      role: 'answerer',
      fingerprint,
      arrived: (link) => {
        timer.stop();
        this.#awaited.delete(awaited);
        const late = this.#options.clock.after(timeLimits.moveMs, () => link.destroy(new LinkLost('timed-out', 'The dialler did not say go in time.')));
        void link.receiveGo().then(
          () => onArrived(link),
          (error: unknown) => debug('it went before it was chosen: %s', errorText(error)),
        ).finally(() => late.stop());
      },
    };
    this.#awaited.add(awaited);
    return this.#options.listener.port;
  }

  async dial(address: string, port: number, introduction: string, fingerprint: string): Promise<PeerLink> {
    const { context, clock, agent, signal } = this.#options;
    const at = { address: hostOf(address), port };
    if (!mayDial(at)) throw new LinkLost('cannot-connect', 'it names a place that no client listens at');
    return await dialPeer(at, { introduction, role: 'asker', fingerprint }, { context, clock, agent, signal });
  }
}

/** The address of an `ip:port`, without the brackets of IPv6. */
function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/gu, '');
}
