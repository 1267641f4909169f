/**
 * The line between two real clients is cut, half-open, silent, or carries one byte at a time: files arrive, from where they stopped, and
 * people can still talk. (PROTOCOL.md 7.3.1, 7.5.5; HOSTILE 34)
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { disturbedLine, type DisturbedLine } from '../helpers/disturbed-line.js';
import { whyNotIsolated } from '../helpers/isolation.js';
import type { JsonClient, JsonEvent } from '../helpers/json-client.js';
import { Scene } from '../helpers/scene.js';
import { Random, sameBytes, seededFile, seededFolder, diffFolders } from '../helpers/trees.js';

const MiB = 1024 * 1024;
const PORTS = { alice: 40_001, bob: 40_002 } as const;
/** So that a file takes a second or two. */
const LIMIT = ['--limit-rate', '20M'];

describe('a disturbed line', { skip: whyNotIsolated('nft') }, () => {
  async function sceneOnLine(t: TestContext, { limited = true } = {}): Promise<{ scene: Scene; line: DisturbedLine }> {
    const line = await disturbedLine(t, Object.values(PORTS));
    const options = (port: number): string[] => ['--listen-port', String(port), ...(limited ? LIMIT : [])];
    const scene = await Scene.open(t, { host: line.host, options: { alice: options(PORTS.alice), bob: options(PORTS.bob) } });
    assert.ok((await line.order('look')) > 1000, 'the session does not go through the proxy');
    return { scene, line };
  }

  /** Resolves when `client` has reported so many bytes of a transfer. */
  const reached = (client: JsonClient, bytes: number): Promise<JsonEvent> => client.next('progress', (event) => Number(event['bytes']) >= bytes, 30_000);

  async function sendThrough(scene: Scene, bytes: number, disturb: () => Promise<unknown>): Promise<{ sent: JsonEvent; taken: JsonEvent }> {
    const path = seededFile(join(scene.folder, 'sources', 'film.bin'), bytes, new Random(bytes));
    const halfWay = reached(scene.bob, bytes / 4).then(disturb);
    const [ends] = await Promise.all([scene.send(path, 'film.bin'), halfWay]);
    assert.ok(sameBytes(path, scene.received('film.bin')), 'the file arrived changed');
    return ends;
  }

  for (const order of ['reset', 'lose-dialler', 'lose-listener'] as const) {
    const what = order === 'reset' ? 'cut' : `half-open, lost by the ${order === 'lose-dialler' ? 'one who dialled' : 'one who listened'}`;
    it(`${what} in the middle of a file: the session comes back and the file goes on where it stopped`, { timeout: 60_000 }, async (t) => {
      const { scene, line } = await sceneOnLine(t);
      const back = Promise.race([scene.alice.next('session-back', undefined, 30_000), scene.bob.next('session-back', undefined, 30_000)]);
      const { sent, taken } = await sendThrough(scene, 32 * MiB, () => line.order(order));
      assert.equal((await back)['restarted'], false);
      for (const end of [sent, taken]) assert.ok(Number(end['resumed']) >= 6 * MiB, `${String(end['resumed'])} bytes were not sent again`);
      await scene.chat();
    });
  }

  it('cut again and again in the middle of a folder: every file arrives once', { timeout: 60_000 }, async (t) => {
    const { scene, line } = await sceneOnLine(t);
    const source = join(scene.folder, 'sources', 'photos');
    const bytes = seededFolder(source, 300, new Random(5));
    const cuts = (async () => {
      for (const part of [0.2, 0.5, 0.8]) {
        await reached(scene.bob, bytes * part);
        await line.order('reset');
      }
    })();
    const [{ taken }] = await Promise.all([scene.send(source, 'photos'), cuts]);
    assert.equal(taken['files'], 300);
    await diffFolders(source, scene.received('photos'));
    await scene.chat();
  });

  it('silent for some seconds: both sides say that they wait for the network, and nothing is sent again', { timeout: 60_000 }, async (t) => {
    const { scene, line } = await sceneOnLine(t);
    const stalled = [scene.alice, scene.bob].map((client) => client.next('transfer-state', (event) => event['state'] === 'stalled', 30_000));
    const lost = scene.alice.next('session-lost', undefined, 60_000).then(() => 'lost', () => 'never');
    const { taken } = await sendThrough(scene, 32 * MiB, async () => {
      await line.order('hold');
      for (const event of await Promise.all(stalled)) assert.equal(event['waits'], 'network');
      await line.order('release');
    });
    assert.equal(taken['resumed'], 0);
    await scene.chat();
    assert.equal(await Promise.race([lost, Promise.resolve('not lost')]), 'not lost');
  });

  it('one byte at a time: handshake, chat and a small file', { timeout: 60_000 }, async (t) => {
    const line = await disturbedLine(t, Object.values(PORTS));
    await line.order('singly');
    const scene = await Scene.open(t, { host: line.host, options: { alice: ['--listen-port', String(PORTS.alice)], bob: ['--listen-port', String(PORTS.bob)] } });
    await scene.chat();
    const path = seededFile(join(scene.folder, 'small.bin'), 3000, new Random(1));
    await scene.send(path, 'small.bin');
    assert.ok(sameBytes(path, scene.received('small.bin')));
    assert.ok((await line.order('look')) > 3000);
  });

  it('slow in every step: a folder of many small files does not wait for each', { timeout: 60_000 }, async (t) => {
    const { scene, line } = await sceneOnLine(t, { limited: false });
    const source = join(scene.folder, 'sources', 'notes');
    const random = new Random(2);
    for (let index = 0; index < 400; index += 1) seededFile(join(source, `note ${index}.txt`), 100, random);
    await line.order({ delayMs: 50 });
    const started = performance.now();
    await scene.send(source, 'notes');
    // One round trip for each of 400 files would take 40 s.
    assert.ok(performance.now() - started < 10_000, `${((performance.now() - started) / 1000).toFixed(1)} s`);
    await diffFolders(source, scene.received('notes'));
  });

  it('a server that is restarted in the middle of a file disturbs nobody', { timeout: 60_000 }, async (t) => {
    const { scene } = await sceneOnLine(t);
    const back = [scene.alice, scene.bob].map((client) => client.next('server-back', undefined, 40_000));
    const { taken } = await sendThrough(scene, 32 * MiB, () => scene.restartServer());
    assert.equal(taken['resumed'], 0);
    await Promise.all(back);
    await scene.chat();
  });

  it('a server that is away while the line is cut: both come back when it does', { timeout: 60_000 }, async (t) => {
    const { scene, line } = await sceneOnLine(t);
    const { sent } = await sendThrough(scene, 32 * MiB, async () => {
      const lost = scene.bob.next('session-lost', undefined, 10_000);
      const restarted = scene.restartServer();
      await line.order('reset');
      await Promise.all([restarted, lost]);
    });
    assert.ok(Number(sent['resumed']) >= 6 * MiB);
    await scene.chat();
  });
});
