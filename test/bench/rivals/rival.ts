/** What every program that carries a file looks like to the benchmark. */
import type { Meter } from '../measure.js';

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
}

export interface PreparedRival {
  /** What is not visible in the numbers, for the notes below the table. */
  readonly note?: string;
  /** Gets everything ready that must be so before the clock runs. */
  ready(source: string, sides: Sides): Promise<Transfer>;
  /** Ends all that was started; idempotent. */
  close(): Promise<void>;
}

export interface Transfer {
  /** Resolves, at the moment when both sides say that they are done, with the path of the received file. This is what is timed. */
  run(): Promise<string>;
  /** Ends what this transfer started, after the accounts were read; idempotent. */
  end(): Promise<void>;
}
