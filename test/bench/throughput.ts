/**
 * Throughput: every program sends the same in turn, round after round, so that a slow minute of the machine strikes
 * them all. Everything that arrives is checked. The first round warms up and is thrown away.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Meter } from './measure.js';
import type { Usage } from './measure.js';
import type { Network } from './network.js';
import { NotHere } from '../helpers/processes.js';
import { flush } from './flush.js';
import type { Load } from './load.js';
import type { PreparedRival, Rival } from './rivals/rival.js';

/** A transfer that takes longer than this has failed, milliseconds. */
const TRANSFER_MS = 10 * 60_000;

export interface Sample {
  /** Until both sides say that they are done. */
  readonly seconds: number;
  /** Until what was received is on the disk as well. */
  readonly durableSeconds: number;
  readonly sender: Usage;
  readonly receiver: Usage;
}

export interface Result {
  readonly name: string;
  readonly note: string | undefined;
  readonly samples: readonly Sample[];
  /** The same of {@link ThroughputOptions.little}; empty without it. */
  readonly littleSeconds: readonly number[];
}

export interface Throughput {
  readonly results: readonly Result[];
  /** Who was left out, and why. */
  readonly leftOut: readonly string[];
}

export interface ThroughputOptions {
  readonly rivals: readonly Rival[];
  /** Empty, on the disk that is measured. */
  readonly folder: string;
  readonly network: Network;
  readonly load: Load;
  /** Sent before `load` in each round, for what it takes to set a transfer up. */
  readonly little?: Load;
  /** Rounds that count. */
  readonly rounds: number;
  readonly warmUp: boolean;
  readonly say: (text: string) => void;
}

interface Runner {
  readonly name: string;
  readonly prepared: PreparedRival;
  readonly samples: Sample[];
  readonly littleSeconds: number[];
}

export async function measureThroughput({ rivals, folder, network, load, little, rounds, warmUp, say }: ThroughputOptions): Promise<Throughput> {
  const leftOut: string[] = [];
  let runners: Runner[] = [];
  const loads = little === undefined ? [load] : [little, load];
  const attic = join(folder, 'received');
  await mkdir(attic);
  let kept = 0;
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
        runners.push({ name: rival.name, prepared: await rival.prepare({ folder: place, network, loads }), samples: [], littleSeconds: [] });
      } catch (error) {
        leaveOut(rival.name, error);
      }
    }
    for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
      say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
      // Each round begins with another program, so that none always follows the same one.
      const turn = runners.map((_, index) => runners[(index + round) % runners.length]!);
      for (const runner of turn) {
        try {
          const samples: Sample[] = [];
          for (const one of loads) samples.push(await transferOnce(runner.prepared, one, join(attic, String((kept += 1)))));
          if (round === 0) continue;
          runner.samples.push(samples.at(-1)!);
          if (little !== undefined) runner.littleSeconds.push(samples[0]!.seconds);
        } catch (error) {
          leaveOut(runner.name, error);
          runners = runners.filter((one) => one !== runner);
          await runner.prepared.close();
        }
      }
    }
    return { results: runners.map(({ name, prepared, samples, littleSeconds }) => ({ name, note: prepared.note, samples, littleSeconds })), leftOut };
  } finally {
    await Promise.all(runners.map((runner) => runner.prepared.close()));
  }
}

/** @param keptAs where a received folder goes: ext4 is many times slower to make files for minutes after as many were removed. */
async function transferOnce(rival: PreparedRival, load: Load, keptAs: string): Promise<Sample> {
  const sides = { sender: new Meter(), receiver: new Meter() };
  try {
    const transfer = await rival.ready(load, sides);
    try {
      const start = performance.now();
      const received = await withDeadline(transfer.run());
      const seconds = (performance.now() - start) / 1000;
      await flush(received, load.kind);
      const durableSeconds = (performance.now() - start) / 1000;
      const [sender, receiver] = await Promise.all([sides.sender.read(), sides.receiver.read()]);
      await load.check(received);
      if (load.kind === 'file') await rm(received);
      else await rename(received, keptAs);
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
