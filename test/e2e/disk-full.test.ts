/** A full disk pauses a transfer, both sides are told, and it goes on by itself when there is room. (DESIGN 5; HOSTILE 34) */
import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemCode } from '../../src/protocol/errors.js';
import { isolate, whyNotIsolated } from '../helpers/isolation.js';
import { Scene } from '../helpers/scene.js';
import { diffFolders, Random, sameBytes, seededFile, seededFolder } from '../helpers/trees.js';

const MiB = 1024 * 1024;
const HOME = '/mnt/bob';

describe('a full disk', { skip: whyNotIsolated() }, () => {
  /** bob's home has 48 MiB; `path` leads there from here. */
  async function narrowScene(t: TestContext): Promise<{ scene: Scene; path: (...names: string[]) => string }> {
    const host = await isolate(t, 'mount -t tmpfs -o size=48m tmpfs /mnt');
    const scene = await Scene.open(t, { host, homes: { bob: HOME }, options: { alice: ['--limit-rate', '20M'] } });
    return { scene, path: (...names) => join(host.root, HOME, ...names) };
  }

  /** In the middle of what `send` does something takes all the room that is left, and gives it back when both sides have said so. */
  async function fillAndMakeRoom(scene: Scene, filler: string, send: () => Promise<unknown>): Promise<void> {
    const paused = [scene.alice, scene.bob].map((client) => client.next('transfer-state', (event) => event['state'] === 'paused', 30_000));
    const begun = scene.bob.next('progress', (event) => Number(event['bytes']) > 4 * MiB, 30_000);
    const end = send();
    await begun;
    fill(filler);
    const [alice, bob] = await Promise.all(paused);
    assert.deepEqual([alice?.['waits'], bob?.['waits']], ['peer-disk-full', 'own-disk-full']);
    await scene.chat();
    rmSync(filler);
    await end;
  }

  it('pauses a file, tells both sides, and goes on when there is room', { timeout: 60_000 }, async (t) => {
    const { scene, path } = await narrowScene(t);
    const source = seededFile(join(scene.folder, 'film.bin'), 24 * MiB, new Random(3));
    await fillAndMakeRoom(scene, path('filler'), () => scene.send(source, 'film.bin'));
    assert.ok(sameBytes(source, path('received', 'film.bin')));
  });

  it('pauses a folder, tells both sides, and goes on when there is room', { timeout: 60_000 }, async (t) => {
    const { scene, path } = await narrowScene(t);
    const source = join(scene.folder, 'photos');
    const bytes = seededFolder(source, 200, new Random(4));
    assert.ok(bytes > 10 * MiB && bytes < 40 * MiB, `${bytes} bytes`);
    await fillAndMakeRoom(scene, path('filler'), () => scene.send(source, 'photos'));
    await diffFolders(source, path('received', 'photos'));
  });

  it('tells with the offer how much room there is', { timeout: 60_000 }, async (t) => {
    const { scene } = await narrowScene(t);
    const source = seededFile(join(scene.folder, 'film.bin'), 1 * MiB, new Random(5));
    const offer = scene.bob.next('offer', (event) => event['direction'] === 'incoming', 20_000);
    await scene.send(source, 'film.bin');
    const free = Number((await offer)['free']);
    assert.ok(free > 40 * MiB && free <= 48 * MiB, `${free} bytes`);
  });
});

function fill(path: string): void {
  const file = openSync(path, 'wx');
  try {
    for (let size = MiB; size > 0; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if (systemCode(error) !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}
