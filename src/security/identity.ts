/**
 * Identities: Ed25519 key pairs, their fingerprints and their signatures (PROTOCOL.md 1, 6.4).
 *
 * Does not store keys: a client's lives in memory, sealed at the server (sealed-key.ts); the server's in its own store.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { canonicalUserName } from '../protocol/names.js';
import { label } from '../protocol/version.js';

export interface Identity {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER, 44 bytes. */
  readonly spki: Buffer;
  readonly fingerprint: string;
}

export function generateIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey);
}

/** @throws Error when `der` is not the PKCS8 form of an Ed25519 key. */
export function identityFromPkcs8(der: Buffer): Identity {
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  return identityOf(key);
}

export function pkcs8Of(identity: Identity): Buffer {
  return identity.privateKey.export({ format: 'der', type: 'pkcs8' });
}

function identityOf(privateKey: KeyObject): Identity {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { privateKey, spki, fingerprint: fingerprintOf(spki) };
}

/** `SHA256:` and base64 without padding, as OpenSSH prints key fingerprints. `spki` is SubjectPublicKeyInfo, DER. */
export function fingerprintOf(spki: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(spki).digest('base64').replace(/=+$/u, '')}`;
}

/** What a signature is for; the label keeps one from being used as another. */
export type SignaturePurpose = 'register' | 'resume';

/** Signs the channel `exporter` for `user`; base64url. */
export function signChannel(identity: Identity, purpose: SignaturePurpose, user: string, exporter: Uint8Array): string {
  return sign(null, signedBytes(purpose, user, exporter), identity.privateKey).toString('base64url');
}

/** Whether `signature` (base64url) was made by the key in `spki` for this purpose, user and channel. False also for a malformed key. */
export function verifyChannel(spki: Uint8Array, purpose: SignaturePurpose, user: string, exporter: Uint8Array, signature: string): boolean {
  const key = publicKeyFrom(spki);
  return key !== undefined && verify(null, signedBytes(purpose, user, exporter), key, Buffer.from(signature, 'base64url'));
}

/** The Ed25519 public key in `spki`, or undefined when it is none. */
export function publicKeyFrom(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    // Any DER error means the same: the other side named no usable key.
    return undefined;
  }
}

function signedBytes(purpose: SignaturePurpose, user: string, exporter: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${label[purpose]}\0${canonicalUserName(user)}\0`), exporter]);
}
