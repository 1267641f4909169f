/**
 * The client in few files, for people to start: `dist/bundle/client/`, made of what the compiler put into `dist/src`. Modules
 * and packages one by one take 400 ms of CPU until it dials, in this form 230 (medians of five; Node alone takes 80).
 *
 * Lies as deep as `dist/src/bin`, so that package.json is found alike, and all of it in one folder, so that threads are. What
 * has native code or looks for files beside itself stays a package.
 */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { projectRoot } from '../protocol/specification.js';

const PACKAGES = ['@napi-rs/blake-hash', '@serenity-kit/opaque', 'fs-native-extensions', 'readline-sync'];

const root = projectRoot();
const source = join(root, 'dist/src');
const target = join(root, 'dist/bundle/client');

const options: BuildOptions = {
  outdir: target,
  entryNames: '[name]',
  chunkNames: 'part-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: PACKAGES,
  // What is written as modules is taken in piece by piece; the older form of a package is taken whole.
  mainFields: ['module', 'main'],
  legalComments: 'linked',
  // What packages in the older form find around them.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url); const __filename = import.meta.url;" },
  logLevel: 'warning',
};

// Threads share no file with the client: each file costs time, and what is shared lies in many.
await build({ ...options, entryPoints: [join(source, 'bin/p2p-client.js')], splitting: true });
await build({ ...options, entryPoints: ['security/password-worker', 'transfer/source/source-worker', 'transfer/store/store-worker'].map((name) => join(source, `${name}.js`)) });
await chmod(join(target, 'p2p-client.js'), 0o755);
