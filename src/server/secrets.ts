/**
 * Makes what a server needs once in its life: identity, certificate, OPAQUE setup, and the account that stands in for
 * names that have none.
 */
import { randomBytes } from 'node:crypto';
import { selfSignedCertificate, type TlsCredentials } from '../security/certificate.js';
import { generateIdentity, identityFromPkcs8, pkcs8Of, type Identity } from '../security/identity.js';
import { answerRegistration, createServerSetup, isServerSetup, startRegistration } from '../security/password-proof.js';
import { sealIdentity } from '../security/sealed-key.js';
import { errorText, P2pError } from '../protocol/errors.js';
import type { Account, ServerSecrets } from './backend.js';

/** Any name will do: a record does not hold it. */
const DECOY_NAME = 'decoy';

/** Takes about a second, once in the life of a server. */
export async function makeSecrets(): Promise<ServerSecrets> {
  const identity = generateIdentity();
  const opaqueSetup = createServerSetup();
  return {
    identityKey: pkcs8Of(identity).toString('base64url'),
    certificate: (await selfSignedCertificate(identity)).cert,
    opaqueSetup,
    decoy: makeDecoy(opaqueSetup),
  };
}

/** A real account (RFC 9807 section 10.9) with a password that is thrown away. */
function makeDecoy(opaqueSetup: string): Account {
  const identity = generateIdentity();
  const registration = startRegistration(randomBytes(32).toString('base64url'));
  const { record, exportKey } = registration.finish(DECOY_NAME, answerRegistration(opaqueSetup, DECOY_NAME, registration.request));
  return {
    user: DECOY_NAME,
    record,
    publicKey: identity.spki.toString('base64url'),
    sealedKey: sealIdentity(identity, exportKey, DECOY_NAME),
    createdAt: new Date().toISOString(),
  };
}

/** The secrets in the form in which they are used. @throws P2pError `store-damaged`. */
export function openSecrets(secrets: ServerSecrets): { readonly identity: Identity; readonly credentials: TlsCredentials } {
  try {
    const identity = identityFromPkcs8(Buffer.from(secrets.identityKey, 'base64url'));
    if (!isServerSetup(secrets.opaqueSetup)) throw new Error('the OPAQUE setup is damaged');
    const key = identity.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { identity, credentials: { cert: secrets.certificate, key } };
  } catch (cause) {
    throw new P2pError('store-damaged', `The server's keys cannot be used: ${errorText(cause)}. Restore the data directory from a backup.`, { cause });
  }
}
