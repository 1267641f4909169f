/**
 * A peer who may arrive at the listener: one introduction, from the moment at which this client has agreed to it or the server has
 * told it, to the end of its race of paths.
 *
 * The other side learns of the introduction on a way of its own and may be here first, so its links are kept for the race.
 */
import type { Expected } from '../net/peer-handshake.js';
import type { PeerLink } from '../net/peer-link.js';
import type { PeerRole } from '../protocol/peer-messages.js';
import { peerLimits } from '../protocol/limits.js';

export class AwaitedPeer implements Expected {
  readonly introduction: string;
  /** Our own role. */
  readonly role: PeerRole;
  readonly user: string;
  readonly fingerprint: string;
  /** At most one for each address that this client may have named. */
  #early: PeerLink[] = [];
  #taker: ((link: PeerLink) => void) | undefined;

  constructor(introduction: string, role: PeerRole, peer: { readonly user: string; readonly fingerprint: string }) {
    this.introduction = introduction;
    this.role = role;
    this.user = peer.user;
    this.fingerprint = peer.fingerprint;
  }

  /** Takes a link that the other side dialled to us. */
  arrived(link: PeerLink): void {
    if (this.#taker !== undefined) this.#taker(link);
    else if (this.#early.length <= peerLimits.candidates) this.#early.push(link);
    else link.destroy();
  }

  /** `taker` gets what has arrived and what will. */
  handOver(taker: (link: PeerLink) => void): void {
    this.#taker = taker;
    for (const link of this.#early.splice(0)) taker(link);
  }

  /** Nobody is awaited any more. Idempotent. */
  end(): void {
    this.handOver((late) => late.destroy());
  }
}
