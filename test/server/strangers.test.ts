/** What a server meets before login: silence, noise, oversized and malformed frames, hostile names (HOSTILE 1, 3, 5, 6, 9). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { timeLimits } from '../../src/protocol/limits.js';
import { startLogin } from '../../src/security/password-proof.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { connectPlain, RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

const SECOND = 1000;

describe('deadlines before login', { timeout: 60_000 }, () => {
  let server: TestServer;
  let clock: ManualClock;
  before(async () => {
    clock = new ManualClock();
    server = await startTestServer({ clock });
  });
  after(() => server.dispose());

  it('ends a connection that says nothing 10 s after it came', async () => {
    const { gone } = await connectPlain(server.port);
    await server.open();
    clock.advance(timeLimits.tlsHandshakeMs);
    assert.equal((await gone).length, 0);
  });

  it('counts from the beginning and not from the last byte', async () => {
    const { socket, gone } = await connectPlain(server.port);
    // The head of a TLS record that announces more than it brings.
    for (const byte of [0x16, 0x03, 0x01]) {
      socket.write(Buffer.of(byte));
      await server.open();
      clock.advance(timeLimits.tlsHandshakeMs / 3 + 1);
    }
    await gone;
  });

  it('ends a connection that has not logged in after 120 s, however busy it is', async () => {
    const client = await server.open();
    for (let waited = 0; waited < timeLimits.loginMs; waited += 20 * SECOND) {
      await client.roundTrip();
      clock.advance(20 * SECOND);
    }
    assert.equal((await client.expect('bye')).code, 'timed-out');
    await client.closed;
  });
});

describe('noise', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.dispose());

  const clientHelloHead = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(40)]);
  const noises: Record<string, Buffer> = {
    HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    SSH: Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'),
    'random bytes': randomBytes(4096),
    zeros: Buffer.alloc(70_000),
    'half a ClientHello': clientHelloHead,
  };

  for (const [name, bytes] of Object.entries(noises)) {
    it(`closes on ${name}, with one log line at most`, async () => {
      const before = server.logLines.length;
      const { socket, gone } = await connectPlain(server.port);
      socket.end(bytes);
      await gone;
      await server.open();
      assert.ok(server.logLines.length - before <= 1, server.logLines.slice(before).join(''));
    });
  }

  it('speaks no TLS below 1.3 and nothing but its own protocol', async () => {
    const offers: tls.ConnectionOptions[] = [
      { maxVersion: 'TLSv1.2', ALPNProtocols: ['p2p-chat/1'] },
      { minVersion: 'TLSv1.3', ALPNProtocols: ['h2'] },
      { minVersion: 'TLSv1.3' },
    ];
    for (const offer of offers) {
      const socket = tls.connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...offer });
      await new Promise((resolve) => socket.on('error', () => socket.destroy()).once('close', resolve));
    }
    await server.open();
  });

  it('survives clients that vanish at every moment of the handshake', async () => {
    const vanish = Array.from({ length: 60 }, async (_, n) => {
      const raw = net.connect({ port: server.port, host: '127.0.0.1' });
      const socket = tls.connect({ socket: raw, rejectUnauthorized: false, minVersion: 'TLSv1.3', ALPNProtocols: ['p2p-chat/1'] });
      const gone = new Promise((resolve) => raw.once('close', resolve));
      for (const end of [socket, raw]) end.on('error', () => raw.destroy());
      const leave = () => (n % 2 === 0 ? raw.destroy() : raw.resetAndDestroy());
      if (n % 3 === 0) raw.once('connect', leave);
      else if (n % 3 === 1) socket.once('secureConnect', leave);
      else socket.once('keylog', leave);
      await gone;
    });
    await Promise.all(vanish);
    await server.open();
  });

  it('writes no more than a bounded number of lines for a flood', async () => {
    const before = server.logLines.length;
    const floods = Array.from({ length: 100 }, async () => {
      const { socket, gone } = await connectPlain(server.port);
      socket.end('x\n');
      await gone;
    });
    await Promise.all(floods);
    await server.open();
    assert.ok(server.logLines.length - before < 60, `${server.logLines.length - before} lines`);
  });
});

describe('frames of strangers', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.dispose());

  const frames: Record<string, Buffer> = {
    'a length of 0xFFFFFFFF': Buffer.from('ffffffff00', 'hex'),
    'a length of 0': Buffer.from('0000000000', 'hex'),
    'one byte more than is allowed': Buffer.from('0000200100', 'hex'),
    'a data frame': Buffer.from('0000000e01', 'hex'),
    'an unknown kind': Buffer.from('0000000207', 'hex'),
  };
  for (const [name, bytes] of Object.entries(frames)) {
    it(`refuses ${name} from its head alone`, async () => {
      const client = await RawServerClient.connect({ port: server.port });
      client.sendBytes(bytes);
      assert.equal((await client.expect('bye')).code, 'bad-frame');
      await client.closed;
    });
  }

  const hello = '"versions":[1],"features":[],"agent":"x"';
  const texts: Record<string, string> = {
    __proto__: `{"type":"hello",${hello},"__proto__":{"user":"root"}}`,
    'a key twice': `{"type":"hello",${hello},"agent":"y"}`,
    'nesting ten thousand deep': `{"type":"hello","versions":${'['.repeat(4000)}${']'.repeat(4000)}}`,
    '1e999': '{"type":"name-check","id":1e999,"user":"x"}',
    'an unknown type': '{"type":"teapot"}',
    'an array': '[]',
    'no JSON': '{',
    'a missing field': '{"type":"hello","versions":[1]}',
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`refuses ${name}`, async () => {
      const client = await RawServerClient.connect({ port: server.port });
      client.sendText(text);
      assert.equal((await client.expect('bye')).code, 'bad-message');
      await client.closed;
    });
  }

  it('refuses invalid UTF-8', async () => {
    const client = await RawServerClient.connect({ port: server.port });
    client.sendBytes(Buffer.from('0000000500c328c3287b', 'hex').subarray(0, 9));
    assert.equal((await client.expect('bye')).code, 'bad-message');
    await client.closed;
  });

  const names = ['a\nb', 'a\u{202e}b', 'a\0b', 'a b', 'аlice', '', '.a', 'x'.repeat(33), 'alice@x', 'ａlice'];
  for (const user of names) {
    it(`refuses the user name ${JSON.stringify(user)}`, async () => {
      const client = await server.open();
      client.sendText(JSON.stringify({ type: 'name-check', id: 1, user }));
      assert.equal((await client.expect('bye')).code, 'bad-message');
      await client.closed;
    });
  }

  it('closes on what is not allowed yet, and on an unknown version', async () => {
    const early = await RawServerClient.connect({ port: server.port });
    early.send({ type: 'login-start', id: 1, user: 'a', request: startLogin('x').request });
    assert.equal((await early.expect('bye')).code, 'unexpected-message');
    const listing = await server.open();
    listing.send({ type: 'list', id: 1, prefix: '' });
    assert.equal((await listing.expect('bye')).code, 'unexpected-message');
    const future = await RawServerClient.connect({ port: server.port });
    future.send({ type: 'hello', versions: [2, 77], features: [], agent: 'x' });
    assert.equal((await future.expect('bye')).code, 'unsupported-version');
    await Promise.all([early.closed, listing.closed, future.closed]);
  });

  it('refuses malformed OPAQUE messages without ending itself', async () => {
    const request = randomBytes(96).toString('base64url');
    const login = await server.open();
    login.send({ type: 'login-start', id: 1, user: 'a', request });
    assert.equal((await login.expect('bye')).code, 'bad-message');
    const registration = await server.open();
    registration.send({ type: 'register-start', id: 1, user: 'a', request: randomBytes(32).fill(0xff).toString('base64url') });
    assert.equal((await registration.expect('bye')).code, 'bad-message');
    await server.open();
  });

  it('bounds pings and requests before login', async () => {
    const flooding = await server.open();
    for (let sent = 0; sent < 200; sent += 1) flooding.send({ type: 'ping' });
    await flooding.closed;
    const last = flooding.unread.at(-1);
    assert.equal(last?.type === 'bye' && last.code, 'rate-limited');
    const asking = await server.open();
    for (let id = 1; id <= 12; id += 1) asking.send({ type: 'name-check', id, user: 'x' });
    for (let id = 1; id <= 10; id += 1) assert.equal((await asking.expect('name-free')).id, id);
    assert.deepEqual((({ id, code }) => ({ id, code }))(await asking.expect('error')), { id: 11, code: 'rate-limited' });
  });
});
