/** The identity key sealed under the export key (PROTOCOL.md 6.2). */
import assert from 'node:assert/strict';
import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import { generateIdentity, identityFromPkcs8 } from '../../src/security/identity.js';
import { openIdentity, sealIdentity } from '../../src/security/sealed-key.js';

const exportKey = randomBytes(64).toString('base64url');
const identity = generateIdentity();
const intercepted = (error: unknown) => error instanceof P2pError && error.code === 'intercepted';

describe('sealed key', () => {
  const sealed = sealIdentity(identity, exportKey, 'Alice');

  it('opens again, whatever the case of the name', () => {
    assert.equal(openIdentity(sealed, exportKey, 'ALICE', identity.spki).fingerprint, identity.fingerprint);
  });

  it('is what the specification derives, byte for byte', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    assert.equal(bytes.length, 12 + 48 + 16);
    const key = Buffer.from(hkdfSync('sha256', Buffer.from(exportKey, 'base64url'), '', 'p2p-chat/1 identity seal', 32));
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      .setAAD(Buffer.concat([Buffer.from('alice\0'), identity.spki]))
      .setAuthTag(bytes.subarray(60));
    const pkcs8 = Buffer.concat([decipher.update(bytes.subarray(12, 60)), decipher.final()]);
    assert.equal(identityFromPkcs8(pkcs8).fingerprint, identity.fingerprint);
  });

  it('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 50 }, () => sealIdentity(identity, exportKey, 'alice').slice(0, 16));
    assert.equal(new Set(nonces).size, nonces.length);
  });

  it('opens with no other export key, name or public key', () => {
    assert.throws(() => openIdentity(sealed, randomBytes(64).toString('base64url'), 'alice', identity.spki), intercepted);
    assert.throws(() => openIdentity(sealed, exportKey, 'bob', identity.spki), intercepted);
    assert.throws(() => openIdentity(sealed, exportKey, 'alice', generateIdentity().spki), intercepted);
  });

  it('opens with no bit changed, and at no other length', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.throws(() => openIdentity(changed.toString('base64url'), exportKey, 'alice', identity.spki), intercepted);
    }
    for (const length of [0, 1, 11, 12, 27, 28, 75]) {
      assert.throws(() => openIdentity(bytes.subarray(0, length).toString('base64url'), exportKey, 'alice', identity.spki), intercepted);
    }
  });
});
