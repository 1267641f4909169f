/**
 * The answers to one part of a list, each small enough for a JSON frame (PROTOCOL.md 7.5.1).
 *
 * Owns the cutting. 512 files with one hash each are 70 KiB, so a part of a list may need several plans.
 */
import { frameLimits, transferLimits } from '../../protocol/limits.js';
import type { Have } from '../../protocol/peer-messages.js';
import type { Plan } from '../source/source.js';

/** The rest of a frame is for the fields around `have` and `skip`. */
const MOST_BYTES = frameLimits.controlBytes - 1024;
/** A number of an entry, and a comma. */
const SKIP_BYTES = 8;

export class PlanParts {
  readonly first: number;
  readonly #plans: Plan[] = [];
  #partFirst: number;
  #next: number;
  #have: Have[] = [];
  #skip: number[] = [];
  #bytes = 0;

  constructor(first: number) {
    this.first = first;
    this.#partFirst = first;
    this.#next = first;
  }

  /** The entry that is planned next. */
  get next(): number {
    return this.#next;
  }

  take(): void {
    this.#next += 1;
  }

  skip(): void {
    this.#room(SKIP_BYTES);
    this.#skip.push(this.#next);
    this.#next += 1;
  }

  have(points: Have['points']): void {
    const have = { entry: this.#next, points };
    this.#room(JSON.stringify(have).length + 1);
    this.#have.push(have);
    this.#next += 1;
  }

  /** All of them; they cover what was taken. */
  plans(): readonly Plan[] {
    this.#cut();
    return this.#plans;
  }

  #room(bytes: number): void {
    const full = this.#bytes + bytes > MOST_BYTES || this.#have.length === transferLimits.entriesPerMessage || this.#skip.length === transferLimits.entriesPerMessage;
    if (full) this.#cut();
    this.#bytes += bytes;
  }

  #cut(): void {
    const count = this.#next - this.#partFirst;
    if (count > 0) this.#plans.push({ first: this.#partFirst, count, have: this.#have, skip: this.#skip });
    this.#partFirst = this.#next;
    this.#have = [];
    this.#skip = [];
    this.#bytes = 0;
  }
}
