/** Transfers under way between the real programs, steered by either side: pause, resume, cancel, rates, several at once. (PROTOCOL.md 7.5.4) */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { JsonClient, JsonEvent } from '../helpers/json-client.js';
import { ended, Scene, type Person } from '../helpers/scene.js';
import { Random, sameBytes, seededFile } from '../helpers/trees.js';

const MB = 1e6;
const SLOW = ['--limit-rate', '4M'];

interface UnderWay {
  readonly scene: Scene;
  readonly path: string;
  /** The number that each of the two types. */
  readonly ids: Readonly<Record<Person, unknown>>;
  readonly ends: Promise<[JsonEvent, JsonEvent]>;
}

/** A file of 16 MB that takes some seconds has begun to come. */
async function underWay(t: TestContext): Promise<UnderWay> {
  const scene = await Scene.open(t, { options: { alice: SLOW } });
  const path = seededFile(join(scene.folder, 'film.bin'), 16 * MB, new Random(1));
  const ends = Promise.all([ended(scene.alice, 'film.bin'), ended(scene.bob, 'film.bin')]);
  ends.catch(() => undefined);
  const begun = [scene.alice, scene.bob].map((client) => client.next('progress', ({ bytes }) => Number(bytes) > 0, 30_000));
  await scene.alice.command(`SEND_FILE "${path}"`);
  const [alice, bob] = await Promise.all(begun);
  return { scene, path, ids: { alice: alice?.['id'], bob: bob?.['id'] }, ends };
}

const state = (client: JsonClient, wanted: string): Promise<JsonEvent> => client.next('transfer-state', (event) => event['state'] === wanted, 30_000);

describe('a transfer under way', () => {
  for (const [person, other] of [['alice', 'bob'], ['bob', 'alice']] as const) {
    const who = person === 'alice' ? 'the sender' : 'the receiver';

    it(`is paused by ${who}, who alone can resume it`, { timeout: 60_000 }, async (t) => {
      const { scene, path, ids, ends } = await underWay(t);
      const [here, there] = await Promise.all([state(scene[person], 'paused'), state(scene[other], 'paused'), scene[person].command(`PAUSE_FILE ${String(ids[person])}`)]);
      assert.deepEqual([here['waits'], there['waits']], ['paused-by-you', 'paused-by-peer']);
      await assert.rejects(scene[other].command(`RESUME_FILE ${String(ids[other])}`), new RegExp(`paused by ${person}`, 'u'));
      const [files] = await Promise.all([scene[other].next('files'), scene[other].command('LIST_FILES')]);
      const [listed] = files['transfers'] as { state: string; waits: string; bytes: number; size: number }[];
      assert.deepEqual([listed?.state, listed?.waits, listed?.size], ['paused', 'paused-by-peer', 16 * MB]);
      await scene.chat();
      const going = state(scene[other], 'running');
      await scene[person].command('RESUME_FILE');
      await going;
      await scene.alice.command('LIMIT_RATE off');
      await ends;
      assert.ok(sameBytes(path, scene.received('film.bin')));
    });

    it(`is cancelled by ${who}: both know, and nothing is left`, { timeout: 60_000 }, async (t) => {
      const { scene, ids } = await underWay(t);
      const failed = [scene.alice, scene.bob].map((client) => client.next('transfer-failed', undefined, 20_000));
      await scene[person].command(`CANCEL_FILE ${String(ids[person])}`);
      for (const event of await Promise.all(failed)) assert.equal(event['code'], 'cancelled');
      for (const folder of [scene.received(), scene.partials]) assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
      await scene.chat();
    });
  }

  it('comes faster once the limit is lifted', { timeout: 60_000 }, async (t) => {
    const { scene, ends } = await underWay(t);
    const started = performance.now();
    const [told] = await Promise.all([scene.alice.next('rate-limit'), scene.alice.command('LIMIT_RATE 1G')]);
    assert.equal(told['bytesPerSecond'], 1e9);
    await ends;
    // What was left would have taken three seconds.
    assert.ok(performance.now() - started < 2000, `${((performance.now() - started) / 1000).toFixed(1)} s`);
  });

  it('does not keep a small file waiting', { timeout: 60_000 }, async (t) => {
    const { scene, ends } = await underWay(t);
    let large = false;
    void ends.then(() => (large = true));
    const small = seededFile(join(scene.folder, 'note.txt'), 1000, new Random(2));
    await scene.send(small, 'note.txt');
    assert.equal(large, false, 'the large file was first');
    await scene.alice.command('LIMIT_RATE off');
    await ends;
  });

  it('outlives a pause over which the peer was killed', { timeout: 60_000 }, async (t) => {
    const { scene, path, ids } = await underWay(t);
    await Promise.all([state(scene.bob, 'paused'), scene.alice.command(`PAUSE_FILE ${String(ids.alice)}`)]);
    await scene.kill('bob');
    const back = scene.back('bob');
    await scene.start('bob');
    const paused = Promise.all([state(scene.alice, 'paused'), state(scene.bob, 'paused')]);
    await Promise.all([back, scene.alice.command('GET_CLIENT_INFO bob')]);
    assert.deepEqual((await paused).map((event) => event['waits']), ['paused-by-you', 'paused-by-peer']);
    const ends = Promise.all([ended(scene.alice, 'film.bin'), ended(scene.bob, 'film.bin')]);
    await scene.alice.command('LIMIT_RATE off');
    await scene.alice.command('RESUME_FILE');
    const [sent] = await ends;
    assert.ok(Number(sent['resumed']) > 0);
    assert.ok(sameBytes(path, scene.received('film.bin')));
  });
});
