/**
 * kill -9 of sender or receiver at random moments of transfers of files and folders: never a wrong byte under a final name, every
 * transfer completes, nothing is left over; how much was sent again is told. (PROTOCOL.md 7.5.5; HOSTILE 35)
 *
 * 20 rounds; P2P_KILL_ROUNDS=200 makes a long run of it. P2P_KILL_SEED repeats the moments of a run that told its seed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { timeLimits } from '../../src/protocol/limits.js';
import { Scene, ended, type Person } from '../helpers/scene.js';
import { diffFolders, filesBelow, Random, sameBytes, seededFile, seededFolder } from '../helpers/trees.js';
import type { JsonEvent } from '../helpers/json-client.js';

const MiB = 1024 * 1024;
const ROUNDS = Number(process.env['P2P_KILL_ROUNDS'] ?? 20);
const SEED = Number(process.env['P2P_KILL_SEED'] ?? Date.now() % 1_000_000);
/** With the same two accounts: nobody is introduced more than 30 times a minute (PROTOCOL.md 9). */
const ROUNDS_PER_PAIR = 10;
/** Of the sender, so that a transfer takes long enough to be hit. */
const BYTES_PER_SECOND = 25e6;

interface Round {
  readonly name: string;
  readonly source: string;
  readonly kind: 'file' | 'folder';
  readonly bytes: number;
  readonly victim: Person;
  /** The kill comes when bob has said that so many bytes are there… */
  readonly afterBytes: number;
  /** …and so much later, since he does not say so all the time. */
  readonly delayMs: number;
}

function plan(number: number, folder: string, random: Random): Round {
  const kind = number % 2 === 0 ? 'file' : 'folder';
  const name = kind === 'file' ? `film ${number}.bin` : `photos ${number}`;
  const source = join(folder, 'sources', name);
  const bytes = kind === 'file' ? random.between(24, 64) * MiB : 0;
  if (kind === 'file') seededFile(source, bytes, random);
  const total = kind === 'file' ? bytes : seededFolder(source, random.between(200, 500), random);
  const victim = random.next() < 0.5 ? 'alice' : 'bob';
  return { name, source, kind, bytes: total, victim, afterBytes: random.next() * total, delayMs: random.next() * (timeLimits.progressMs / 2) };
}

/** Whatever bob has under a final name is whole and right, at every moment. */
function checkFinals(scene: Scene, round: Round): void {
  const received = scene.received();
  if (!existsSync(received)) return;
  for (const top of readdirSync(received)) assert.equal(top, round.name, 'a name that nobody gave');
  for (const path of filesBelow(received)) {
    const source = join(round.source, '..', path);
    assert.ok(existsSync(source), `${path} was never sent`);
    assert.ok(sameBytes(join(received, path), source), `${path} has wrong bytes under its final name`);
  }
}

/** Asks without waiting. */
function whetherDone(end: Promise<unknown>): () => boolean {
  let done = false;
  end.then(() => (done = true), () => undefined);
  return () => done;
}

/** What both have told last about how much is there. */
function watchBytes(scene: Scene): () => number {
  let last = 0;
  const look = (event: JsonEvent): void => {
    if (event.event === 'progress') last = Number(event['bytes']);
  };
  const forget = [scene.alice.onEvent(look), scene.bob.onEvent(look)];
  return () => {
    for (const end of forget) end();
    return last;
  };
}

describe('kill -9 at a random moment', () => {
  const random = new Random(SEED);
  const sums = { bytes: 0, resumed: 0, again: 0, hit: 0 };

  async function run(scene: Scene, round: Round): Promise<void> {
    const firstEnds = { alice: ended(scene.alice, round.name), bob: ended(scene.bob, round.name) };
    const doneBefore = whetherDone(firstEnds[round.victim === 'alice' ? 'bob' : 'alice']);
    for (const end of Object.values(firstEnds)) end.catch(() => undefined);
    const bytesBefore = watchBytes(scene);
    const moment = scene.bob.nextOf(['progress', 'transfer-done'], ({ event, bytes }) => event === 'transfer-done' || Number(bytes) >= round.afterBytes, 60_000);
    await Promise.all([moment, scene.alice.command(`SEND_FILE "${round.source}"`)]);
    await pause(round.delayMs);
    await scene.kill(round.victim);
    const there = bytesBefore();
    checkFinals(scene, round);
    const before = doneBefore();

    const back = scene.back(round.victim);
    await scene.start(round.victim);
    // What of it bob still has ends as lost; only its new beginning counts.
    const arrives = before && round.victim === 'bob' ? undefined : scene.bob.next('transfer-done', (event) => event['name'] === round.name, 60_000);
    await Promise.all([back, scene.alice.command('GET_CLIENT_INFO bob')]);
    // What alice was sending goes on by itself; where she was killed she must send it again.
    const leaves = round.victim === 'bob' ? firstEnds.alice : ended(scene.alice, round.name);
    if (round.victim === 'alice') await scene.alice.command(`SEND_FILE "${round.source}"`);
    const [sent] = await Promise.all([leaves, arrives]);
    checkFinals(scene, round);
    if (round.kind === 'folder') await diffFolders(round.source, scene.received(round.name));
    else assert.ok(existsSync(scene.received(round.name)), 'the file is not there');
    assert.deepEqual(existsSync(scene.partials) ? readdirSync(scene.partials) : [], [], 'something was left over');
    rmSync(scene.received(), { recursive: true });
    rmSync(round.source, { recursive: true });

    if (before) return;
    const resumed = Number(sent['resumed']);
    sums.hit += 1;
    sums.bytes += round.bytes;
    sums.resumed += resumed;
    sums.again += Math.max(0, there - resumed);
  }

  for (let first = 0; first < ROUNDS; first += ROUNDS_PER_PAIR) {
    const rounds = Math.min(ROUNDS_PER_PAIR, ROUNDS - first);
    it(`never a wrong byte, and everything arrives: ${rounds} times`, { timeout: 60_000 + rounds * 30_000 }, async (t) => {
      const scene = await Scene.open(t, { options: { alice: ['--limit-rate', String(BYTES_PER_SECOND)] } });
      for (let number = first; number < first + rounds; number += 1) {
        const round = plan(number, scene.folder, random);
        try {
          await run(scene, round);
        } catch (error) {
          const { name, victim, afterBytes, delayMs, bytes } = round;
          throw new Error(`seed ${SEED}, round ${number}: ${victim} was killed ${delayMs.toFixed(0)} ms after ${afterBytes.toFixed(0)} of ${bytes} bytes of "${name}": ${String(error)}`, { cause: error });
        }
      }
      const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
      t.diagnostic(`seed ${SEED}, up to round ${first + rounds}: ${sums.hit} kills hit a transfer under way; of ${mb(sums.bytes)} in all ${mb(sums.resumed)} were not sent again, ${mb(sums.again)} that were said to be there were`);
    });
  }
});
