/** What every program that carries files looks like to the benchmark. */
import type { Load } from '../load.js';
import type { Meter } from '../measure.js';
import type { Network } from '../network.js';

/** The accounts of the two sides of one transfer. */
export interface Sides {
  readonly sender: Meter;
  readonly receiver: Meter;
}

export interface Rival {
  readonly name: string;
  /** Starts what a user has running before a transfer. @throws NotHere when the program is missing. */
  prepare(place: Place): Promise<PreparedRival>;
}

export interface Place {
  /** An empty folder of its own, on the disk that is measured; removed by the caller. */
  readonly folder: string;
  readonly network: Network;
  /** All that will be sent, for a program that reads it beforehand. */
  readonly loads: readonly Load[];
}

export interface PreparedRival {
  /** What is not visible in the numbers, for the notes below the table. */
  readonly note?: string;
  /** Gets everything ready that must be so before the clock runs. */
  ready(load: Load, sides: Sides): Promise<Transfer>;
  /** Ends all that was started; idempotent. */
  close(): Promise<void>;
}

export interface Transfer {
  /** Resolves, at the moment when both sides say that they are done, with the path of what was received. This is what is timed. */
  run(): Promise<string>;
  /** Ends what this transfer started, after the accounts were read; idempotent. */
  end(): Promise<void>;
}
