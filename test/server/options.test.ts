/** Options from text to one frozen object, and the lines of the start and the log. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import { createLog, textLine } from '../../src/server/log.js';
import { parseServerOptions, type RawServerOptions } from '../../src/server/options.js';
import { startUpLines } from '../../src/server/start-up-lines.js';

describe('server options', () => {
  it('has every field, and cannot be changed', () => {
    const options = parseServerOptions({}, '/home/me');
    assert.deepEqual(options, { port: 9090, host: undefined, dataDirectory: '/home/me/.p2p-server', logLevel: 'info' });
    assert.ok(Object.isFrozen(options));
  });

  it('takes what was typed', () => {
    const options = parseServerOptions({ port: '0', host: '::1', data: '/srv/chat', logLevel: 'debug' }, '/home/me');
    assert.deepEqual(options, { port: 0, host: '::1', dataDirectory: '/srv/chat', logLevel: 'debug' });
    assert.equal(parseServerOptions({ host: '::' }, '/').host, undefined);
  });

  const wrong: [RawServerOptions, string][] = [
    [{ port: '' }, '--port'],
    [{ port: '-1' }, '--port'],
    [{ port: '65536' }, '--port'],
    [{ port: '9e3' }, '--port'],
    [{ port: '90 90' }, '--port'],
    [{ port: '123456789123456789' }, '--port'],
    [{ host: 'localhost' }, '--host'],
    [{ host: '' }, '--host'],
    [{ data: '' }, '--data'],
    [{ data: 'a\0b' }, '--data'],
    [{ logLevel: 'loud' }, '--log-level'],
  ];
  for (const [raw, option] of wrong) {
    it(`refuses ${JSON.stringify(raw)} and names ${option}`, () => {
      assert.throws(
        () => parseServerOptions(raw, '/home/me'),
        (error: unknown) => error instanceof P2pError && error.code === 'usage' && error.message.startsWith(`${option} is `),
      );
    });
  }
});

describe('start-up lines', () => {
  it('are two, with an address that can be told from the port', () => {
    assert.equal(startUpLines('::', 9090, 'SHA256:x'), 'p2p-server listening on [::]:9090\nfingerprint SHA256:x\n');
    assert.equal(startUpLines('0.0.0.0', 1, 'SHA256:x').split('\n')[0], 'p2p-server listening on 0.0.0.0:1');
  });
});

describe('log', () => {
  it('is one JSON object a line for programs', () => {
    const lines: string[] = [];
    createLog({ level: 'info', form: 'json', write: (line) => lines.push(line) }).info({ user: 'alice' }, 'logged in');
    const { level, user, msg } = JSON.parse(lines[0]!) as Record<string, unknown>;
    assert.deepEqual([lines.length, level, user, msg], [1, 30, 'alice', 'logged in']);
  });

  it('is one line for a person, in which nothing from outside is obeyed', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', form: 'text', write: (line) => lines.push(line) });
    log.warn({ reason: 'a\nb\u{1b}]52;c;x\u{7}\u{202e}' }, 'bad\rconnection');
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d warn {2}bad\\rconnection {2}reason=a\\nb\\x1b\]52;c;x\\x07\\u202e\n$/u);
  });

  it('shows what is not text as JSON', () => {
    assert.equal(textLine('{"level":50,"time":"2026-01-31T12:00:00.000Z","n":3,"msg":"x"}'), '2026-01-31 12:00:00 error x  n=3');
  });
});
