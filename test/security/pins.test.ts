/** Pin files: first contact, dates, verification, change, damage, several writers at once. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import { generateIdentity } from '../../src/security/identity.js';
import { PinFile } from '../../src/security/pins.js';

async function path(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pins-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'home', 'known_servers');
}

const badFile = (error: unknown) => error instanceof P2pError && error.code === 'bad-pin-file';
const one = generateIdentity().fingerprint;
const two = generateIdentity().fingerprint;

describe('pin file', () => {
  it('knows nobody at first contact, and then whom it was told', async (t) => {
    const file = await path(t);
    const pins = new PinFile(file, 'servers');
    assert.equal(await pins.find('localhost:9090'), undefined);
    await pins.add('localhost:9090', one);
    assert.equal(await pins.find('localhost:9090'), one);
    assert.equal(await new PinFile(file, 'servers').find('localhost:9090'), one);
  });

  it('is for its owner alone, commented, one line a pin', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'servers').add('localhost:9090', one);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700);
    const [comment, line, end] = (await readFile(file, 'utf8')).split('\n');
    assert.equal(comment, '# servers');
    assert.match(line ?? '', /^localhost:9090 SHA256:\S{43} \d{4}-\d\d-\d\d$/u);
    assert.equal(end, '');
  });

  it('knows since when, where the line says so', async (t) => {
    const file = await path(t);
    const pins = new PinFile(file, 'servers');
    await pins.add('a:1', one);
    await writeFile(file, `a:1 ${one} 2024-03-14\nb:2 ${two}\nc:3 ${two} \x1b[2J\n`);
    assert.deepEqual(await pins.entry('a:1'), { fingerprint: one, since: '2024-03-14', verified: undefined });
    assert.deepEqual(await pins.entry('b:2'), { fingerprint: two, since: undefined, verified: undefined });
    assert.deepEqual(await pins.entry('c:3'), { fingerprint: two, since: undefined, verified: undefined });
    assert.equal(await pins.entry('d:4'), undefined);
  });

  it('never changes a pin by adding', async (t) => {
    const pins = new PinFile(await path(t), 'servers');
    await pins.add('localhost:9090', one);
    await pins.add('localhost:9090', two);
    assert.equal(await pins.find('localhost:9090'), one);
  });

  it('loses none of many pins added at once, and leaves no other file behind', async (t) => {
    const file = await path(t);
    const pins = new PinFile(file, 'servers');
    await Promise.all(Array.from({ length: 30 }, (_, n) => pins.add(`host${n}:1`, one)));
    for (let n = 0; n < 30; n += 1) assert.equal(await pins.find(`host${n}:1`), one);
    assert.deepEqual(await readdir(join(file, '..')), ['known_servers']);
  });

  it('keeps comments, empty lines and a last line without an end', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'servers').add('a:1', one);
    await writeFile(file, `# mine\n\n  b:2 ${two}`);
    const pins = new PinFile(file, 'servers');
    await pins.add('c:3', one);
    const text = await readFile(file, 'utf8');
    assert.ok(text.startsWith(`# mine\n\n  b:2 ${two}\nc:3 ${one} `));
    assert.equal(await pins.find('b:2'), two);
  });

  it('refuses a file with a line that it cannot read, naming the line, instead of a new first contact', async (t) => {
    const lines = ['nonsense', `a:1 ${one.slice(0, -1)}`, `a:1 ${one} date more`, `a:1 sha256:${one.slice(7)}`, `a:1  ${one}`];
    for (const line of lines) {
      const file = await path(t);
      await new PinFile(file, 'servers').add('a:1', one);
      await writeFile(file, `# mine\n${line}\n`);
      const pins = new PinFile(file, 'servers');
      await assert.rejects(pins.find('a:1'), (error: unknown) => badFile(error) && /Line 2 of/u.test((error as Error).message), line);
      await assert.rejects(pins.add('b:2', one), badFile, line);
      assert.equal(await readFile(file, 'utf8'), `# mine\n${line}\n`);
    }
  });

  it('refuses two different pins for one name', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'servers').add('a:1', one);
    await writeFile(file, `a:1 ${one}\na:1 ${one}\n`);
    assert.equal(await new PinFile(file, 'servers').find('a:1'), one);
    await writeFile(file, `a:1 ${one}\na:1 ${two}\n`);
    await assert.rejects(new PinFile(file, 'servers').find('a:1'), badFile);
  });

  it('knows since when, also in a file that an older program wrote', async (t) => {
    const file = await path(t);
    const pins = new PinFile(file, 'peers');
    await pins.add('new@a:1', one);
    assert.equal((await pins.entry('new@a:1'))?.since, new Date().toISOString().slice(0, 10));
    await writeFile(file, `bob@a:1 ${one} 2025-03-01\nbea@a:1 ${two}\nben@a:1 ${two} yesterday\n`);
    assert.deepEqual([...(await pins.all())], [
      ['bob@a:1', { fingerprint: one, since: '2025-03-01', verified: undefined }],
      ['bea@a:1', { fingerprint: two, since: undefined, verified: undefined }],
      ['ben@a:1', { fingerprint: two, since: undefined, verified: undefined }],
    ]);
  });

  it('keeps what was verified, and takes it back', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'peers').add('other@a:1', two);
    await writeFile(file, `# mine\nbob@a:1 ${one} 2025-03-01\nbob@a:1 ${one}\nother@a:1 ${two}\n`);
    const pins = new PinFile(file, 'peers');
    assert.equal(await pins.setVerified('bob@a:1', one, true), true);
    const date = new Date().toISOString().slice(0, 10);
    assert.equal(await readFile(file, 'utf8'), `# mine\nbob@a:1 ${one} 2025-03-01 verified=${date}\nother@a:1 ${two}\n`);
    assert.equal((await pins.entry('bob@a:1'))?.verified, date);
    assert.equal(await pins.setVerified('bob@a:1', one, false), true);
    assert.equal(await readFile(file, 'utf8'), `# mine\nbob@a:1 ${one} 2025-03-01\nother@a:1 ${two}\n`);
  });

  it('verifies no other key than the one that is pinned', async (t) => {
    const pins = new PinFile(await path(t), 'peers');
    assert.equal(await pins.setVerified('bob@a:1', one, true), false);
    await pins.add('bob@a:1', one);
    assert.equal(await pins.setVerified('bob@a:1', two, true), false);
    assert.equal((await pins.entry('bob@a:1'))?.verified, undefined);
  });

  it('replaces a key only when told to; then it is not verified any more, and the old one stays as a comment', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'peers').add('x', one);
    await writeFile(file, `bob@a:1 ${one} 2025-03-01 verified=2025-04-01\nother@a:1 ${two}`);
    const pins = new PinFile(file, 'peers');
    await pins.replace('bob@a:1', two);
    const date = new Date().toISOString().slice(0, 10);
    assert.equal(
      await readFile(file, 'utf8'),
      `# bob@a:1 ${one} 2025-03-01 verified=2025-04-01 replaced=${date}\nbob@a:1 ${two} ${date}\nother@a:1 ${two}`,
    );
    assert.deepEqual(await pins.entry('bob@a:1'), { fingerprint: two, since: date, verified: undefined });
    await pins.replace('bob@a:1', two);
    await pins.replace('ben@a:1', one);
    assert.equal(await pins.find('ben@a:1'), one);
  });

  it('refuses a mark of verification that it does not understand', async (t) => {
    for (const mark of ['verified', 'verified=yes', 'Verified=2025-01-01', 'verified=2025-01-01 more']) {
      const file = await path(t);
      await new PinFile(file, 'peers').add('a:1', one);
      await writeFile(file, `a:1 ${one} 2025-01-01 ${mark}\n`);
      await assert.rejects(new PinFile(file, 'peers').find('a:1'), badFile, mark);
    }
  });

  it('says so when the file cannot be read or written', async (t) => {
    const file = await path(t);
    await new PinFile(file, 'servers').add('a:1', one);
    const under = new PinFile(join(file, 'known_peers'), 'peers');
    await assert.rejects(under.find('a:1'), badFile);
    await assert.rejects(new PinFile(join(file, '..'), 'x').add('a:1', one), badFile);
  });

  it('goes on after a failure', async (t) => {
    const file = await path(t);
    const pins = new PinFile(file, 'servers');
    await pins.add('a:1', one);
    const good = await readFile(file, 'utf8');
    await writeFile(file, 'nonsense\n');
    await assert.rejects(pins.add('b:2', two), badFile);
    await writeFile(file, good);
    await pins.add('b:2', two);
    assert.equal(await pins.find('b:2'), two);
  });
});
