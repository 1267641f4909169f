/**
 * How soon the client is there, and what it does not load for that. Times are compared with those of a Node that does nothing, the
 * best of several each, so that a busy machine does not matter; `npm run bench` has the medians.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { measureStartUp } from '../bench/start-up.js';

const MODULES = fileURLToPath(new URL('../../src/bin/p2p-client.js', import.meta.url));

/** Writes the address of every module to stderr as it is loaded. */
const LISTING = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(\`
  import { writeSync } from 'node:fs';
  export function load(url, context, next) { writeSync(2, 'loaded ' + url + '\\\\n'); return next(url, context); }\`));`;

function loadedBy(...args: string[]): string[] {
  const env = { ...process.env, P2P_HOME: join(tmpdir(), 'p2p-no-such-home'), P2P_PASSWORD: 'x' };
  const { stderr } = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(LISTING)}`, MODULES, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  return [...stderr.matchAll(/^loaded file:\/\/(?<path>.*)$/gmu)].map(({ groups }) => groups?.['path'] ?? '');
}

describe('start-up', () => {
  it('is within what people do not notice', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-start-up-'));
    try {
      const { node, version, question, prompt } = await measureStartUp(join(folder, 'measured'), 5);
      const best = { node: Math.min(...node), version: Math.min(...version), question: Math.min(...question), prompt: Math.min(...prompt) };
      t.diagnostic(Object.entries(best).map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(', '));
      assert.ok(best.version <= 1.5 * best.node, `--version ${best.version} ms, node ${best.node} ms`);
      // 300 ms, and in proportion on a machine where Node alone takes more than 67.
      assert.ok(best.question <= Math.max(300, 4.5 * best.node), `first question ${best.question} ms, node ${best.node} ms`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('loads next to nothing for the version', () => {
    assert.deepEqual(loadedBy('--version').map((path) => path.split('/').at(-1)), ['p2p-client.js', 'verb-arguments.js']);
  });

  it('loads before it is connected nothing that is needed later or never', () => {
    const loaded = loadedBy('127.0.0.1', '1', '--user', 'alice').join('\n');
    assert.match(loaded, /client\/engine\.js/u);
    for (const late of ['@peculiar/x509', 'reflect-metadata', 'jsonc-parser', 'opaque', 'readline-sync', 'json-face', 'terminal-face', 'chat-log', 'bin/verbs', 'src/server/']) assert.ok(!loaded.includes(late), late);
  });
});
