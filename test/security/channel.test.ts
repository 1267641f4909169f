/** Channel proofs (PROTOCOL.md 6.3). The exporter over real TLS is tested with net/tls.ts and with the server. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { channelProof, isChannelProof } from '../../src/security/channel.js';

const sessionKey = randomBytes(64);
const key = sessionKey.toString('base64url');
const exporter = randomBytes(32);

describe('channel proof', () => {
  it('is what the specification derives', () => {
    for (const side of ['client', 'server'] as const) {
      const expected = createHmac('sha256', sessionKey).update(`p2p-chat/1 channel ${side}\0`).update(exporter).digest('base64url');
      assert.equal(channelProof(side, key, exporter), expected);
    }
  });

  it('holds for one side, one session and one channel', () => {
    const proof = channelProof('client', key, exporter);
    assert.ok(isChannelProof(proof, 'client', key, exporter));
    assert.ok(!isChannelProof(proof, 'server', key, exporter));
    assert.ok(!isChannelProof(proof, 'client', randomBytes(64).toString('base64url'), exporter));
    assert.ok(!isChannelProof(proof, 'client', key, randomBytes(32)));
  });

  it('is not held to be one when it is short, long or empty', () => {
    const proof = channelProof('client', key, exporter);
    for (const other of ['', proof.slice(0, -4), `${proof}AAAA`]) assert.ok(!isChannelProof(other, 'client', key, exporter));
  });
});
