/**
 * How an open peer link goes over to another connection (PROTOCOL.md 7.3.2), so that whoever receives much has dialled and reads into
 * one buffer. The order of everything that is sent is kept, and whoever uses the link notices nothing.
 *
 * Owns the exchange for one link, on either side of it. Dialling and listening are given to it; frames are the link's.
 */
import { debuglog } from 'node:util';
import { errorText, LinkLost, RemoteViolation, type P2pError } from '../protocol/errors.js';
import { timeLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import type { Clock, Timer } from './clock.js';
import type { PeerLink } from './peer-link.js';

const debug = debuglog('p2p-link');

export type MoveMessage = PeerMessageOf<'move' | 'move-to' | 'moved'>;

/** Brings about the other connection. Both sides prove their keys on it as on the first. */
export interface LinkMover {
  /** A name for the other connection that nobody can guess. */
  newIntroduction(): string;
  /**
   * Lets the peer with this key in once, and hands the link over when it has said `go`. `undefined` where nobody listens.
   *
   * @returns the port to dial.
   */
  admit(introduction: string, fingerprint: string, onArrived: (link: PeerLink) => void): number | undefined;
  /** Dials `address`, an `ip:port`, at `port` instead. Resolves when hellos are exchanged. @throws P2pError when it does not come about. */
  dial(address: string, port: number, introduction: string, fingerprint: string): Promise<PeerLink>;
}

/** The link that moves, as the move sees it. */
export interface MovingLink {
  readonly address: string;
  readonly fingerprint: string;
  /** Bytes that have come so far. */
  received(): number;
  /** Whether nothing is read at the moment, since we cannot take it. */
  held(): boolean;
  /** On the first connection. */
  send(message: MoveMessage): void;
  /** From now on everything is sent over `next`, which moves no further; the word that says so is the last on the first connection. */
  sendOver(next: PeerLink): void;
  /** From now on everything is read from the one to which it sends; the first connection has served. */
  readOver(): void;
  /** The link is of no use any more. */
  fail(reason: P2pError | undefined): void;
}

export class LinkMove {
  readonly #link: MovingLink;
  readonly #mover: LinkMover;
  readonly #clock: Clock;
  /** What we have asked for: the other's leave to dial, and then the connection. */
  #asked: string | undefined;
  #dialled = false;
  /** We have let the other dial. */
  #admitted = false;
  #next: PeerLink | undefined;
  #theyMoved = false;
  #over = false;
  #deadline: Timer | undefined;

  constructor(link: MovingLink, mover: LinkMover, clock: Clock) {
    this.#link = link;
    this.#mover = mover;
    this.#clock = clock;
  }

  /** Whether the other has said its last on the first connection, so that its end means nothing. */
  get firstMayEnd(): boolean {
    return this.#theyMoved;
  }

  /** Asks for a connection that we dial. A link moves once: the second time this does nothing. */
  ask(): void {
    if (this.#asked !== undefined || this.#admitted || this.#over) return;
    this.#asked = this.#mover.newIntroduction();
    this.#link.send({ type: 'move', introduction: this.#asked });
  }

  /** @throws RemoteViolation for what was not asked for. */
  handle(message: MoveMessage): void {
    switch (message.type) {
      case 'move':
        this.#admit(message.introduction);
        return;
      case 'move-to':
        if (this.#asked === undefined || this.#dialled) throw new RemoteViolation('unexpected-message', '"move-to" was not asked for.');
        this.#dialled = true;
        void this.#dial(message.port, this.#asked);
        return;
      case 'moved':
        if ((!this.#admitted && this.#next === undefined) || this.#theyMoved) throw new RemoteViolation('unexpected-message', '"moved" was not expected.');
        this.#theyMoved = true;
        this.#readOver();
    }
  }

  /** The link has ended. Idempotent. */
  end(): void {
    this.#over = true;
    this.#deadline?.stop();
  }

  #admit(introduction: string): void {
    if (this.#admitted) throw new RemoteViolation('unexpected-message', 'A link moves once.');
    // Both want it at once: the one whose name for it sorts first gives way, and reads as before.
    if (this.#asked !== undefined && this.#asked > introduction) return;
    this.#admitted = true;
    const port = this.#mover.admit(introduction, this.#link.fingerprint, (next) => this.#sendOver(next));
    if (port !== undefined) this.#link.send({ type: 'move-to', port });
  }

  /** Where it does not come about, everything stays as it is. */
  async #dial(port: number, introduction: string): Promise<void> {
    try {
      const next = await this.#mover.dial(this.#link.address, port, introduction, this.#link.fingerprint);
      if (!this.#over) next.sendGo();
      this.#sendOver(next);
    } catch (error) {
      debug('the link stays where it is: %s', errorText(error));
    }
  }

  #sendOver(next: PeerLink): void {
    if (this.#over || this.#next !== undefined) {
      next.destroy();
      return;
    }
    this.#next = next;
    void next.ended.then((reason) => this.#link.fail(reason));
    this.#awaitLast();
    this.#link.send({ type: 'moved' });
    this.#link.sendOver(next);
    this.#readOver();
  }

  /** The other's last word stands behind all that it has sent, which on a slow line takes long, and longer while we hold it back. */
  #awaitLast(): void {
    const [received, held] = [this.#link.received(), this.#link.held()];
    this.#deadline = this.#clock.after(timeLimits.moveMs, () => {
      if (held || this.#link.held() || this.#link.received() > received) this.#awaitLast();
      else this.#link.fail(new LinkLost('timed-out', 'The other side did not follow to another connection.'));
    });
  }

  #readOver(): void {
    if (this.#next === undefined || !this.#theyMoved) return;
    this.#deadline?.stop();
    this.#link.readOver();
  }
}
