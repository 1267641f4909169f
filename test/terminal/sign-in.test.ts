/**
 * Logging in without a terminal, password files, and the order of questions and calls.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import type { RawOptions } from '../../src/terminal/options.js';
import { parseOptions } from '../../src/terminal/options.js';
import { readPasswordFile } from '../../src/terminal/password-source.js';
import { run } from '../../src/terminal/run.js';
import type { Questioner } from '../../src/terminal/sign-in.js';
import { signInByAsking } from '../../src/terminal/sign-in.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';
import { FakeClient } from './fake-client.js';

/** Gives the answers in turn, and keeps the whole dialogue. */
function dialogue(answers: (string | undefined)[]): Questioner & { readonly said: string[] } {
  const said: string[] = [];
  const ask = (question: string) => {
    said.push(question);
    assert.ok(answers.length > 0, `no answer for "${question}" after ${said.join(' | ')}`);
    return answers.shift();
  };
  return { said, ask, askHidden: ask, say: (text) => void said.push(text) };
}

const nothingGiven = { user: undefined, newUser: undefined, password: undefined };

describe('questions', () => {
  it('ask for the name again after a wrong password, offering the last one', async () => {
    const client = new FakeClient();
    client.before.set('login', (_user, password) => {
      if (password !== 'right') throw new P2pError('not-authenticated', 'Wrong.');
    });
    const questions = dialogue(['r', 'alcie', 'right?', 'alice', 'wrong', '', 'right']);
    await signInByAsking(client, nothingGiven, questions);
    assert.deepEqual(client.calls, ['login alcie right?', 'login alice wrong', 'login alice right']);
    assert.deepEqual(questions.said.slice(1), ['Name: ', 'Password: ', 'Wrong.', 'Name [alcie]: ', 'Password: ', 'Wrong.', 'Name [alice]: ', 'Password: ']);
  });

  it('do not try a password from a file twice', async () => {
    const client = new FakeClient();
    client.before.set('login', () => {
      throw new P2pError('not-authenticated', 'Wrong.');
    });
    await assert.rejects(signInByAsking(client, { ...nothingGiven, password: 'x' }, dialogue(['r', 'alice'])), { code: 'not-authenticated' });
    assert.equal(client.calls.length, 1);
  });

  it('ask another name when it was taken while the password was typed', async () => {
    const client = new FakeClient();
    let first = true;
    client.before.set('register', () => {
      if (first) {
        first = false;
        throw new P2pError('name-taken', 'Taken.');
      }
    });
    await signInByAsking(client, { ...nothingGiven, newUser: true, user: 'alice' }, dialogue(['p', 'p', 'alicia', 'p', 'p']));
    assert.deepEqual(client.calls, ['checkName alice', 'register alice p', 'checkName alicia', 'register alicia p']);
  });

  it('are not asked again for errors that no answer mends', async () => {
    const client = new FakeClient();
    client.before.set('login', () => {
      throw new P2pError('intercepted', 'Somebody sits in between.');
    });
    await assert.rejects(signInByAsking(client, nothingGiven, dialogue(['r', 'alice', 'p'])), { code: 'intercepted' });
  });

  it('refuse an absurdly long password', async () => {
    const client = new FakeClient();
    const questions = dialogue(['r', 'alice', 'x'.repeat(2000), 'p']);
    await signInByAsking(client, nothingGiven, questions);
    assert.ok(questions.said.some((text) => text.includes('more than 1024 bytes')));
  });
});

describe('a run without a terminal', () => {
  async function runWith(raw: RawOptions, env: Record<string, string> = {}, prepare: (client: FakeClient, signal: () => void) => void = () => undefined) {
    const client = new FakeClient();
    let stop: () => void = () => undefined;
    prepare(client, () => stop());
    const stdin = new PassThrough();
    stdin.end();
    const [stdout, stderr] = [new Collector(), new Collector()];
    const options = parseOptions({ host: 'localhost', port: '9090', ...raw }, { env, homeDirectory: '/h', workingDirectory: '/', stdinIsTTY: false, stdoutIsTTY: false, version: '0' });
    const onSignal = (whenSignalled: () => void) => {
      stop = whenSignalled;
      return () => undefined;
    };
    const code = await run(options, (_options, _clock, streams) => client.take(streams), { stdin, stdout, stderr, env, homeDirectory: '/h', clock: new ManualClock(), date: () => new Date(0), onSignal });
    return { code, client, stdout, stderr };
  }

  it('logs in with --user and P2P_PASSWORD', async () => {
    const { code, client } = await runWith({ user: 'alice' }, { P2P_PASSWORD: 'p' });
    assert.equal(code, 0);
    assert.deepEqual(client.calls, ['connect', 'login alice p', 'close']);
  });

  it('makes an account with --new', async () => {
    const { client } = await runWith({ user: 'alice', new: true }, { P2P_PASSWORD: 'p' });
    assert.deepEqual(client.calls, ['connect', 'register alice p', 'close']);
  });

  it('says what is missing before anything is sent, with 2', async () => {
    for (const [raw, env, message] of [
      [{}, { P2P_PASSWORD: 'p' }, /give --user NAME/u],
      [{ user: 'alice' }, {}, /--password-file FILE or in P2P_PASSWORD/u],
      [{ user: 'alice', passwordFile: '/does/not/exist' }, {}, /cannot be read \(ENOENT\)/u],
      [{ user: 'alice' }, { P2P_PASSWORD: 'x'.repeat(2000) }, /no password/u],
    ] as [RawOptions, Record<string, string>, RegExp][]) {
      const { code, client, stderr } = await runWith(raw, env);
      assert.equal(code, 2);
      assert.match(stderr.text, message);
      assert.deepEqual(client.calls, []);
    }
  });

  it('leaves stdout to the file with --received -, and says everything on stderr', async () => {
    const { code, stdout, stderr } = await runWith({ user: 'alice', accept: 'all', received: '-' }, { P2P_PASSWORD: 'p' }, (client) => {
      client.before.set('login', () => {
        // Once the face runs.
        setImmediate(() => client.done(client.offer({ decision: 'accepted' })));
      });
    });
    assert.equal(code, 0);
    assert.equal(stdout.text, '');
    assert.match(stderr.text, /^-- Connected to localhost:9090\.[^]*^-- Received "a" from bob/mu);
  });

  it('survives that nobody reads the file any more', async () => {
    const { code } = await runWith({ user: 'alice', accept: 'all', received: '-' }, { P2P_PASSWORD: 'p' }, (client) => {
      client.before.set('login', () => {
        setImmediate(() => {
          client.stdout?.destroy(new Error('EPIPE'));
          client.failTransfer(client.offer({ decision: 'accepted' }), 'write-failed', 'Nobody reads.');
        });
      });
    });
    assert.equal(code, 1);
  });

  it('tells an error in JSON as an event, and exits with its code', async () => {
    const { code, stdout, stderr } = await runWith({ user: 'alice', json: true }, { P2P_PASSWORD: 'p' }, (client) =>
      client.before.set('connect', () => {
        throw new P2pError('server-key-changed', 'The key changed.');
      }),
    );
    assert.equal(code, 5);
    assert.deepEqual(stdout.lines().map((line) => JSON.parse(line) as unknown), [
      { event: 'error', at: '1970-01-01T00:00:00.000Z', code: 'server-key-changed', message: 'The key changed.' },
    ]);
    assert.equal(stderr.text, '');
  });

  it('ends without an error when a signal comes before it is logged in', async () => {
    const { code, stdout, stderr } = await runWith({ user: 'alice' }, { P2P_PASSWORD: 'p' }, (client, signal) =>
      client.before.set('login', () => {
        signal();
        throw new P2pError('closed', 'You have left.');
      }),
    );
    assert.equal(code, 0);
    assert.doesNotMatch(stdout.text + stderr.text, /left\. \[closed\]/u);
  });

  it('lets a bug through', async () => {
    await assert.rejects(
      runWith({ user: 'alice' }, { P2P_PASSWORD: 'p' }, (client) =>
        client.before.set('connect', () => {
          throw new TypeError('a bug');
        }),
      ),
      TypeError,
    );
  });
});

describe('a password file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2p-password-'));
  });
  after(() => rm(folder, { recursive: true }));

  const contents: [string, string, string][] = [
    ['its first line', 'secret\nrest\n', 'secret'],
    ['without a line end', 'secret', 'secret'],
    ['with a Windows line end', 'secret\r\n', 'secret'],
    ['spaces belong to it', ' se cret \n', ' se cret '],
  ];
  for (const [name, content, password] of contents) {
    it(`gives ${name}`, async () => {
      const path = join(folder, 'password');
      await writeFile(path, content, { mode: 0o600 });
      assert.deepEqual(await readPasswordFile(path), { password, othersMayRead: false });
    });
  }

  it('readable by others is told', { skip: process.platform === 'win32' }, async () => {
    const path = join(folder, 'open');
    await writeFile(path, 'x');
    await chmod(path, 0o644);
    assert.equal((await readPasswordFile(path)).othersMayRead, true);
  });

  it('is refused when empty, a folder, or far too long', async () => {
    const path = join(folder, 'bad');
    await writeFile(path, '\nsecret');
    await assert.rejects(readPasswordFile(path), { code: 'password-missing' });
    await writeFile(path, 'x'.repeat(100_000));
    await assert.rejects(readPasswordFile(path), { code: 'password-missing' });
    await assert.rejects(readPasswordFile(folder), { code: 'password-missing' });
  });
});
