/**
 * A peer who may arrive at the listener: one introduction, from the moment at which this client has agreed to it or the server has
 * told it, to the end of its race of paths.
 *
 * The other side learns of the introduction on a way of its own and may be here first, so its links are kept for the race.
 */
import type { Expected } from '../net/peer-handshake.js';
import type { Continuity, PeerLink } from '../net/peer-link.js';
import type { PeerRole } from '../protocol/peer-messages.js';
import { peerLimits } from '../protocol/limits.js';

export interface AwaitedPeerOptions {
  readonly introduction: string;
  /** Our own role. */
  readonly role: PeerRole;
  readonly peer: { readonly user: string; readonly fingerprint: string };
  readonly provisional?: boolean;
  readonly continuity?: (heard: Continuity | undefined) => Continuity;
}

export class AwaitedPeer implements Expected {
  readonly introduction: string;
  /** Our own role. */
  readonly role: PeerRole;
  readonly user: string;
  readonly fingerprint: string;
  /** At most one for each address that this client may have named. */
  #early: PeerLink[] = [];
  /** Whether the person is still to be asked, should the peer want more than to learn of the end of its session. */
  readonly provisional: boolean;
  #saidEnded = false;
  readonly #continuity: (heard: Continuity | undefined) => Continuity;
  #taker: ((link: PeerLink) => void) | undefined;

  constructor(options: AwaitedPeerOptions) {
    const { introduction, role, peer, provisional = false, continuity = () => ({}) } = options;
    this.introduction = introduction;
    this.role = role;
    this.user = peer.user;
    this.fingerprint = peer.fingerprint;
    this.provisional = provisional;
    this.#continuity = continuity;
  }

  /** What our hello says about a session with this peer. */
  continuity(heard: Continuity | undefined): Continuity {
    const said = this.#continuity(heard);
    this.#saidEnded ||= said.ended === true;
    return said;
  }

  /** Whether the other was told that its session has ended: then it does not go on to use this introduction. */
  get saidEnded(): boolean {
    return this.#saidEnded;
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
