/** Identities, fingerprints, signatures and certificates (PROTOCOL.md 1, 6.4). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { selfSignedCertificate } from '../../src/security/certificate.js';
import { fingerprintOf, generateIdentity, identityFromPkcs8, pkcs8Of, publicKeyFrom, signChannel, verifyChannel } from '../../src/security/identity.js';

const exporter = Buffer.alloc(32, 7);

describe('identity', () => {
  it('is an Ed25519 key whose SPKI has 44 bytes and begins as RFC 8410 says', () => {
    const { spki } = generateIdentity();
    assert.equal(spki.length, 44);
    assert.equal(spki.subarray(0, 12).toString('hex'), '302a300506032b6570032100');
  });

  it('has the fingerprint that OpenSSH would print for the same bytes', () => {
    const { spki, fingerprint } = generateIdentity();
    const base64 = createHash('sha256').update(spki).digest('base64');
    assert.equal(fingerprint, `SHA256:${base64.slice(0, 43)}`);
    assert.equal(fingerprintOf(spki), fingerprint);
    assert.equal(fingerprint.length, 50);
  });

  it('survives PKCS8 and back', () => {
    const identity = generateIdentity();
    assert.equal(identityFromPkcs8(pkcs8Of(identity)).fingerprint, identity.fingerprint);
  });

  it('is not made of another kind of key, or of noise', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    assert.throws(() => identityFromPkcs8(privateKey.export({ format: 'der', type: 'pkcs8' })), /not an Ed25519 key/u);
    assert.throws(() => identityFromPkcs8(Buffer.from('noise')));
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    assert.equal(publicKeyFrom(publicKey.export({ format: 'der', type: 'spki' })), undefined);
    assert.equal(publicKeyFrom(Buffer.from('noise')), undefined);
  });
});

describe('signature over the channel', () => {
  const identity = generateIdentity();
  const signature = signChannel(identity, 'resume', 'Alice', exporter);

  it('is made of label, zero, canonical name, zero, exporter', () => {
    const signed = Buffer.concat([Buffer.from('p2p-chat/1 resume\0alice\0'), exporter]);
    assert.ok(verify(null, signed, publicKeyFrom(identity.spki)!, Buffer.from(signature, 'base64url')));
  });

  it('holds for the one purpose, name, channel and key', () => {
    assert.ok(verifyChannel(identity.spki, 'resume', 'aLiCe', exporter, signature));
    assert.ok(!verifyChannel(identity.spki, 'register', 'alice', exporter, signature));
    assert.ok(!verifyChannel(identity.spki, 'resume', 'alicia', exporter, signature));
    assert.ok(!verifyChannel(identity.spki, 'resume', 'alice', Buffer.alloc(32, 8), signature));
    assert.ok(!verifyChannel(generateIdentity().spki, 'resume', 'alice', exporter, signature));
  });

  it('does not hold for malformed keys and signatures, and throws for none', () => {
    assert.ok(!verifyChannel(Buffer.alloc(44), 'resume', 'alice', exporter, signature));
    assert.ok(!verifyChannel(identity.spki, 'resume', 'alice', exporter, ''));
    assert.ok(!verifyChannel(identity.spki, 'resume', 'alice', exporter, Buffer.alloc(64).toString('base64url')));
  });
});

describe('self-signed certificate', () => {
  it('carries the identity key, is signed by it, and fits its private key', async () => {
    const identity = generateIdentity();
    const { cert, key } = await selfSignedCertificate(identity);
    const certificate = new X509Certificate(cert);
    assert.equal(fingerprintOf(certificate.publicKey.export({ format: 'der', type: 'spki' })), identity.fingerprint);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(identity.privateKey));
    assert.match(key, /BEGIN PRIVATE KEY/u);
    assert.ok(Date.parse(certificate.validTo) > Date.parse('9999-01-01'));
  });

  it('has a serial number of its own each time', async () => {
    const identity = generateIdentity();
    const certificates = [await selfSignedCertificate(identity), await selfSignedCertificate(identity)];
    const serials = certificates.map(({ cert }) => new X509Certificate(cert).serialNumber);
    assert.equal(new Set(serials).size, 2);
  });

  it('is understood by OpenSSL', { skip: !hasOpenssl() && 'no openssl here' }, async () => {
    const { cert } = await selfSignedCertificate(generateIdentity());
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: cert, encoding: 'utf8' });
    assert.match(text, /Public Key Algorithm: ED25519/iu);
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    // Not installed: the test is skipped and says so.
    return false;
  }
}
