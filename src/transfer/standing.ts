/**
 * How a transfer stands, for people: running, checking, paused by whom, stalled and who waits for what, without a link
 * (PROTOCOL.md 7.5.4).
 *
 * Owns what is told, once for each change, and what the other side is told of our own waits. It moves nothing itself.
 */
import type { Clock } from '../net/clock.js';
import { timeLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import type { TransferState, WaitsFor } from './events.js';

/** What one side waits for that the other cannot see. */
export type OwnWait = PeerMessageOf<'waits'>['on'];
export type PauseReason = PeerMessageOf<'pause'>['reason'];

export interface StandingOptions {
  readonly clock: Clock;
  /** What this side has been waiting for during the last second. */
  ownWait(): OwnWait;
  /** Tells the other side. */
  sayWaits(on: OwnWait): void;
  /** The state that people know has changed. */
  onChange(state: TransferState, waits: WaitsFor | undefined): void;
}

interface Told {
  readonly state: TransferState;
  readonly waits: WaitsFor | undefined;
}

export class Standing {
  readonly #options: StandingOptions;
  readonly #paused = new Map<'you' | 'peer', PauseReason>();
  #linked = true;
  #checkingSince: number | undefined;
  #movedAt: number;
  #peerWaits: OwnWait = 'nothing';
  #saidWaits: OwnWait = 'nothing';
  #told: Told = { state: 'running', waits: undefined };

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#movedAt = options.clock.now();
  }

  get state(): TransferState {
    return this.#told.state;
  }

  get waits(): WaitsFor | undefined {
    return this.#told.waits;
  }

  /** Whether either side has paused it. */
  get paused(): boolean {
    return this.#paused.size > 0;
  }

  pausedBy(side: 'you' | 'peer'): PauseReason | undefined {
    return this.#paused.get(side);
  }

  pause(side: 'you' | 'peer', reason: PauseReason): void {
    this.#paused.set(side, reason);
    this.#tell();
  }

  /** Harmless where that side has not paused it. */
  resume(side: 'you' | 'peer'): void {
    this.#paused.delete(side);
    this.moved();
    this.#tell();
  }

  /** It is under way now. What held before was told to nobody: a sender may pause with its offer what it has paused already. */
  begin(): void {
    this.moved();
    this.#told = { state: 'running', waits: undefined };
    this.#tell();
  }

  /** The link came or went. What the other side has said holds no longer. */
  linked(is: boolean): void {
    this.#linked = is;
    this.#peerWaits = 'nothing';
    this.#saidWaits = 'nothing';
    this.#paused.delete('peer');
    this.moved();
    this.#tell();
  }

  /** What is there already is being compared. */
  checking(is: boolean): void {
    this.#checkingSince = is ? (this.#checkingSince ?? this.#options.clock.now()) : undefined;
    this.moved();
  }

  /** Something has moved. */
  moved(): void {
    this.#movedAt = this.#options.clock.now();
  }

  peerWaits(on: OwnWait): void {
    this.#peerWaits = on;
  }

  /** Looks again; called every second while the transfer is under way. */
  tick(): void {
    const own = this.#options.ownWait();
    if (this.#linked && own !== this.#saidWaits) {
      this.#saidWaits = own;
      this.#options.sayWaits(own);
    }
    this.#tell();
  }

  #tell(): void {
    const now = this.#now();
    if (now.state === this.#told.state && now.waits === this.#told.waits) return;
    this.#told = now;
    this.#options.onChange(now.state, now.waits);
  }

  #now(): Told {
    if (!this.#linked) return { state: 'reconnecting', waits: undefined };
    const own = this.#paused.get('you');
    if (own !== undefined) return { state: 'paused', waits: own === 'person' ? 'paused-by-you' : 'own-disk-full' };
    const theirs = this.#paused.get('peer');
    if (theirs !== undefined) return { state: 'paused', waits: theirs === 'person' ? 'paused-by-peer' : 'peer-disk-full' };
    const now = this.#options.clock.now();
    if (this.#checkingSince !== undefined && now - this.#checkingSince >= timeLimits.waitsMs) return { state: 'checking', waits: undefined };
    if (now - this.#movedAt >= timeLimits.stalledMs) return { state: 'stalled', waits: this.#waits() };
    return { state: 'running', waits: undefined };
  }

  #waits(): WaitsFor {
    const own = this.#options.ownWait();
    if (own !== 'nothing') return own === 'disk' ? 'own-disk' : 'own-rate-limit';
    if (this.#peerWaits !== 'nothing') return this.#peerWaits === 'disk' ? 'peer-disk' : 'peer-rate-limit';
    return 'network';
  }
}
