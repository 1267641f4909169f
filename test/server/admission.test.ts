/** Admission: caps and rates before TLS (DESIGN 3.1, 7; HOSTILE 2, 4). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { frameLimits } from '../../src/protocol/limits.js';
import { addressKey, Admission, DEFAULT_ADMISSION, type AdmissionRules } from '../../src/server/admission.js';
import { connectPlain, RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer } from '../helpers/test-server.js';

const strict: AdmissionRules = { ...DEFAULT_ADMISSION, isExempt: () => false };

describe('addressKey', { timeout: 60_000 }, () => {
  const cases = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const;
  for (const [address, key] of cases) it(`${address} counts as ${key}`, () => assert.equal(addressKey(address), key));
});

describe('Admission', { timeout: 60_000 }, () => {
  it('caps the connections of one address, whatever its neighbours in the /64, and frees the place of one that ends', async () => {
    const admission = new Admission({ ...strict, connectionsPerAddress: 2 });
    const first = await admission.admit('2001:db8::1');
    await admission.admit('2001:db8::2');
    assert.equal(await admission.admit('2001:db8::3'), 'too many connections from one address');
    assert.equal(typeof (await admission.admit('2001:db8:0:1::3')), 'object');
    assert.ok(typeof first === 'object');
    first.release();
    first.release();
    assert.equal(typeof (await admission.admit('2001:db8::3')), 'object');
    assert.equal(await admission.admit('2001:db8::4'), 'too many connections from one address');
  });

  it('caps new connections of one address in a minute', async () => {
    const admission = new Admission({ ...strict, newConnectionsPerAddressPerMinute: 3 });
    for (let n = 1; n <= 3; n += 1) {
      const ticket = await admission.admit('203.0.113.7');
      assert.ok(typeof ticket === 'object');
      ticket.release();
    }
    assert.equal(await admission.admit('203.0.113.7'), 'too many new connections from one address');
    assert.equal(admission.unauthenticated, 0);
    assert.equal(typeof (await admission.admit('203.0.113.8')), 'object');
  });

  it('leaves loopback out of the caps per address, not out of the total', async () => {
    const admission = new Admission({ ...DEFAULT_ADMISSION, connectionsPerAddress: 1, newConnectionsPerAddressPerMinute: 1, unauthenticatedConnections: 3 });
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) assert.equal(typeof (await admission.admit(address)), 'object');
    assert.equal(await admission.admit('127.0.0.1'), 'too many unauthenticated connections');
  });

  it('gives the last place to one of many that come at once', async () => {
    const admission = new Admission({ ...strict, connectionsPerAddress: 1 });
    const results = await Promise.all(Array.from({ length: 5 }, () => admission.admit('203.0.113.7')));
    assert.equal(results.filter((result) => typeof result === 'object').length, 1);
  });
});

describe('a server under siege', { timeout: 60_000 }, () => {
  it('refuses one address beyond its cap before TLS, and serves another', async (t) => {
    const server = await startTestServer({ accounts: ['alice'], admission: { ...strict, connectionsPerAddress: 3 } });
    t.after(() => server.dispose());
    for (let n = 1; n <= 3; n += 1) await server.open();
    for (let n = 1; n <= 20; n += 1) {
      const { gone } = await connectPlain(server.port);
      assert.equal((await gone).length, 0);
    }
    await server.enter('alice', { localAddress: '127.0.0.2' });
  });

  it('holds a total of strangers, each with one unfinished frame at most; a login frees the place', async (t) => {
    const server = await startTestServer({ accounts: ['alice'], admission: { ...DEFAULT_ADMISSION, unauthenticatedConnections: 5 } });
    t.after(() => server.dispose());
    const almost = Buffer.alloc(frameLimits.beforeLoginBytes, 0x20);
    almost.writeUInt32BE(frameLimits.beforeLoginBytes);
    almost.writeUInt8(0, 4);
    for (let n = 1; n <= 4; n += 1) (await server.open()).sendBytes(almost);
    const alice = await server.enter('alice');
    await server.open();
    await assert.rejects(RawServerClient.open({ port: server.port }));
    await alice.roundTrip();
  });
});
