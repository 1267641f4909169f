/**
 * The identity key as the server keeps it: sealed under OPAQUE's export key, which only the password yields (PROTOCOL.md 6.2).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { P2pError } from '../protocol/errors.js';
import { canonicalUserName } from '../protocol/names.js';
import { label } from '../protocol/version.js';
import { identityFromPkcs8, pkcs8Of, type Identity } from './identity.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `exportKey` and the result are base64url. */
export function sealIdentity(identity: Identity, exportKey: string, user: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, sealKey(exportKey), nonce).setAAD(associatedData(user, identity.spki));
  return Buffer.concat([nonce, cipher.update(pkcs8Of(identity)), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens what {@link sealIdentity} made and checks that the key belongs to `spki`.
 *
 * @throws P2pError `intercepted` when it does not open: with the right password only a tampered answer can cause that.
 */
export function openIdentity(sealed: string, exportKey: string, user: string, spki: Uint8Array): Identity {
  try {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv(CIPHER, sealKey(exportKey), bytes.subarray(0, NONCE_BYTES))
      .setAAD(associatedData(user, spki))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const identity = identityFromPkcs8(Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]));
    if (!identity.spki.equals(spki)) throw new Error('the private key does not belong to the public key');
    return identity;
  } catch (cause) {
    throw new P2pError('intercepted', 'The server returned an identity key that is not yours. Do not use this server until its operator has looked at it.', { cause });
  }
}

function sealKey(exportKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(exportKey, 'base64url'), Buffer.alloc(0), label.sealInfo, KEY_BYTES));
}

function associatedData(user: string, spki: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${canonicalUserName(user)}\0`), spki]);
}
