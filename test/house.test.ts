/** The rules of the house hold in every file, and each rule bites. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MAX_LINES, violations } from './house-rules.js';
import { projectRoot } from './protocol/specification.js';

const root = projectRoot();

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

describe('every file keeps the rules of the house', () => {
  const files = [...sourceFiles('src'), ...sourceFiles('test')];

  it('there are files to look at', () => {
    assert.ok(files.includes('src/protocol/frames.ts') && files.includes('test/house.test.ts'));
  });

  for (const path of files) {
    it(path, () => assert.deepEqual(violations(path, readFileSync(join(root, path), 'utf8')), []));
  }
});

describe('a breach is found', () => {
  const head = '/** What this file owns. */\n';
  const breaches: [path: string, text: string, found: string[]][] = [
    ['src/protocol/a.ts', "import { x } from '../net/b.js';", ['protocol imports net']],
    ['src/protocol/a.ts', "import type { X } from '../server/b.js';", ['protocol imports server']],
    ['src/security/a.ts', "export { x } from '../net/b.js'; x();", ['security imports net']],
    ['src/net/a.ts', "const b = await import('../transfer/b.js');", ['net imports transfer']],
    ['src/net/a.ts', "type B = import('../client/b.js').B;", ['net imports client']],
    ['src/net/a.ts', 'const b = await import(name);', ['imports a computed path']],
    ['src/transfer/a.ts', "import '../client/b.js';", ['transfer imports client']],
    ['src/server/a.ts', "import { x } from '../client/b.js';", ['server imports client']],
    ['src/server/a.ts', "import { x } from '../transfer/b.js';", ['server imports transfer']],
    ['src/server/a.ts', "import { x } from '../bin/b.js';", ['server imports bin']],
    ['src/client/a.ts', "import { x } from '../server/b.js';", ['client imports server']],
    ['src/client/a.ts', "import { x } from '../terminal/b.js';", ['client imports terminal']],
    ['src/terminal/a.ts', "import { x } from '../server/b.js';", ['terminal imports server']],
    ['src/terminal/a.ts', "import { x } from '../client/engine.js';", ['terminal imports src/client/engine.js']],
    ['src/net/a.ts', "import { x } from '../../test/b.js';", ['imports test/b.js from outside src']],
    ['src/server/a/b.ts', "import { x } from '../../client/c.js';", ['server imports client']],
    ['src/other/a.ts', 'const a = 1;', ['is in no folder of the house: other']],
    ['src/terminal/a.ts', "import { Command } from 'commander';", ['imports commander']],
    ['src/client/a.ts', "import chalk from 'chalk';", ['imports chalk']],
    ['src/server/admission.ts', "import chalk from 'chalk';", ['imports chalk']],
    ['src/bin/p2p-client.ts', "import chalk from 'chalk';", ['imports chalk']],
    ['src/terminal/screen.ts', "import readlineSync from 'readline-sync';", ['imports readline-sync']],
    ['src/bin/p2p-client.ts', "const r = require('readline-sync');", ['imports readline-sync']],
    ['src/protocol/a.ts', "import { connect } from 'node:net';", ['protocol imports node:net']],
    ['src/protocol/a.ts', "import { readFileSync } from 'fs';", ['protocol imports fs']],
    ['src/protocol/a.ts', "import { randomBytes } from 'node:crypto';", ['protocol imports node:crypto']],
    ['src/protocol/a.ts', "import { open } from 'lmdb';", ['protocol imports lmdb']],
    ['src/protocol/a.ts', 'export const now = () => Date.now();', ['protocol uses Date']],
    ['src/protocol/a.ts', 'export const now = () => new Date();', ['protocol uses Date']],
    ['src/protocol/a.ts', 'export const x = Math.random();', ['protocol uses Math.random']],
    ['src/protocol/a.ts', 'setTimeout(() => {}, performance.now());', ['protocol uses setTimeout', 'protocol uses performance']],
    ['src/protocol/a.ts', 'const { now } = performance;', ['protocol uses performance']],
    ['src/protocol/a.ts', 'export const x = globalThis["Date"];', ['protocol uses globalThis']],
    ['src/net/a.ts', "console.log('x');", ['calls console.log']],
    ['src/server/a.ts', "globalThis.console.error('x');", ['calls globalThis.console.error']],
    ['src/net/a.ts', "export * from './b.js';\nexport { c } from './c.js';", ['is a barrel file']],
    ['src/net/a.ts', "import { b } from './b.js';\nexport { b };", ['is a barrel file']],
    ['src/net/index.ts', 'export const a = 1;', ['is a barrel file']],
    ['src/net/Frame.ts', 'export const a = 1;', ['is not named in kebab-case']],
    ['src/net/frameReader.ts', 'export const a = 1;', ['is not named in kebab-case']],
    ['src/net/utils.ts', 'export const a = 1;', ['has a name that says nothing']],
    ['test/net/a.test.ts', 'let a = 1;\n'.repeat(MAX_LINES), [`has ${MAX_LINES + 1} lines, more than ${MAX_LINES}`]],
  ];
  for (const [path, text, found] of breaches) {
    it(`${path}: ${text.slice(0, 60).replaceAll('\n', ' ')}`, () => assert.deepEqual(violations(path, head + text), found));
  }

  it('a file of src that opens with code', () => {
    assert.deepEqual(violations('src/net/a.ts', 'export const a = 1;\n/** Late. */'), ['does not open with a comment']);
  });
});

describe('what is allowed is left alone', () => {
  const allowed: [path: string, text: string][] = [
    ['src/bin/p2p-client.ts', "#!/usr/bin/env node\n/** Opens. */\nimport { Command } from 'commander';\nimport '../terminal/a.js';\nimport '../client/engine.js';\nconsole.log(1);"],
    ['src/bin/p2p-server.ts', "/** Opens. */\nimport chalk from 'chalk';\nimport '../server/a.js';"],
    ['src/server/start-up-lines.ts', "/** Opens. */\nimport chalk from 'chalk';"],
    ['src/terminal/questions.ts', "/** Opens. */\nimport readlineSync from 'readline-sync';\nimport type { ClientApi } from '../client/api.js';\nconsole.error(1);"],
    ['src/client/engine.ts', "/** Opens. */\nimport '../transfer/a.js';\nimport '../net/a.js';\nimport { connect } from 'node:net';\nexport { x } from './x.js';\nexport const y = Date.now();"],
    ['src/protocol/a.ts', "// Opens.\nimport * as v from 'valibot';\n/** A Date, `setTimeout`, import('node:fs'). */\nexport const text = 'console.log(Date)';\nexport const o = { process: 1 };\nexport const m = Math.max(o.process, 2);"],
    ['test/net/a.test.ts', "import { x } from '../../src/server/a.js';\nimport { y } from '../../src/client/a.js';\nconsole.log(x, y, Date.now());"],
  ];
  for (const [path, text] of allowed) it(path, () => assert.deepEqual(violations(path, text), []));
});
