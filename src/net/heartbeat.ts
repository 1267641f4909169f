/**
 * Heartbeat of a link (PROTOCOL.md 5.5, 7.3): a ping when nothing was sent for 30 s, dead when nothing came for 90 s.
 */
import { timeLimits } from '../protocol/limits.js';
import type { Clock, Timer } from './clock.js';

export interface HeartbeatActions {
  /** Whether the link is being read; while it is not, silence says nothing about the other side. */
  reading(): boolean;
  ping(): void;
  dead(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #timer: Timer;
  #lastSent: number;
  #lastReceived: number;

  constructor(clock: Clock, actions: HeartbeatActions) {
    this.#clock = clock;
    this.#lastSent = this.#lastReceived = clock.now();
    // Looking more often than the shortest interval keeps both deadlines within a third of it.
    this.#timer = clock.every(timeLimits.heartbeatMs / 3, () => {
      const now = clock.now();
      if (!actions.reading()) this.received();
      if (now - this.#lastReceived >= timeLimits.deadMs) {
        this.stop();
        actions.dead();
      } else if (now - this.#lastSent >= timeLimits.heartbeatMs) {
        this.sent();
        actions.ping();
      }
    });
  }

  /** Any byte came. */
  received(): void {
    this.#lastReceived = this.#clock.now();
  }

  /** A frame went out. */
  sent(): void {
    this.#lastSent = this.#clock.now();
  }

  stop(): void {
    this.#timer.stop();
  }
}
