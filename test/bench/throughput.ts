/**
 * File throughput: every program sends the same file in turn, round after round, so that a slow minute of the machine
 * strikes them all. The first round warms up and is thrown away.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Meter } from './measure.js';
import type { Usage } from './measure.js';
import { NotHere } from '../helpers/processes.js';
import type { PreparedRival, Rival } from './rivals/rival.js';
import { checkReceived, flush } from './sample-file.js';

/** A transfer that takes longer than this has failed, milliseconds. */
const TRANSFER_MS = 10 * 60_000;

export interface Sample {
  /** Until both sides say that they are done. */
  readonly seconds: number;
  /** Until the received file is on the disk as well. */
  readonly durableSeconds: number;
  readonly sender: Usage;
  readonly receiver: Usage;
}

export interface Result {
  readonly name: string;
  readonly note: string | undefined;
  readonly samples: readonly Sample[];
  /** One byte: what it takes to set a transfer up, seconds. */
  readonly smallSeconds: readonly number[];
}

export interface Throughput {
  readonly results: readonly Result[];
  /** Who was left out, and why. */
  readonly leftOut: readonly string[];
}

export interface SampleFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ThroughputOptions {
  readonly rivals: readonly Rival[];
  readonly folder: string;
  readonly large: SampleFile;
  readonly small: SampleFile;
  /** Rounds that count. */
  readonly rounds: number;
  readonly say: (text: string) => void;
}

interface Runner {
  readonly name: string;
  readonly prepared: PreparedRival;
  readonly samples: Sample[];
  readonly smallSeconds: number[];
}

export async function measureThroughput({ rivals, folder, large, small, rounds, say }: ThroughputOptions): Promise<Throughput> {
  const leftOut: string[] = [];
  let runners: Runner[] = [];
  const leaveOut = (name: string, error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    leftOut.push(`${name}: ${text.split('\n')[0] ?? ''}`);
    if (!(error instanceof NotHere)) say(`${name} failed: ${text}`);
  };
  try {
    for (const rival of rivals) {
      const place = join(folder, rival.name.replaceAll(/[^a-z0-9]+/giu, '-'));
      await mkdir(place);
      try {
        runners.push({ name: rival.name, prepared: await rival.prepare({ folder: place }), samples: [], smallSeconds: [] });
      } catch (error) {
        leaveOut(rival.name, error);
      }
    }
    for (let round = 0; round <= rounds; round += 1) {
      say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
      // Each round begins with another program, so that none always follows the same one.
      const turn = runners.map((_, index) => runners[(index + round) % runners.length]!);
      for (const runner of turn) {
        try {
          const little = await transferOnce(runner.prepared, small);
          const sample = await transferOnce(runner.prepared, large);
          if (round === 0) continue;
          runner.smallSeconds.push(little.seconds);
          runner.samples.push(sample);
        } catch (error) {
          leaveOut(runner.name, error);
          runners = runners.filter((one) => one !== runner);
          await runner.prepared.close();
        }
      }
    }
    return { results: runners.map(({ name, prepared, samples, smallSeconds }) => ({ name, note: prepared.note, samples, smallSeconds })), leftOut };
  } finally {
    await Promise.all(runners.map((runner) => runner.prepared.close()));
  }
}

async function transferOnce(rival: PreparedRival, file: SampleFile): Promise<Sample> {
  const sides = { sender: new Meter(), receiver: new Meter() };
  try {
    const transfer = await rival.ready(file.path, sides);
    try {
      const start = performance.now();
      const received = await withDeadline(transfer.run());
      const seconds = (performance.now() - start) / 1000;
      await flush(received);
      const durableSeconds = (performance.now() - start) / 1000;
      const [sender, receiver] = await Promise.all([sides.sender.read(), sides.receiver.read()]);
      await checkReceived(received, file.bytes, file.sha256);
      await rm(received);
      return { seconds, durableSeconds, sender, receiver };
    } finally {
      await transfer.end();
    }
  } finally {
    sides.sender.stop();
    sides.receiver.stop();
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  try {
    const tooLate = pause(TRANSFER_MS, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`no end after ${TRANSFER_MS / 1000} s`);
    });
    return await Promise.race([work, tooLate]);
  } finally {
    stop.abort();
  }
}
