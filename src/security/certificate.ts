/**
 * Self-signed certificates over an identity key (PROTOCOL.md 1): the envelope in which TLS carries a bare public key.
 *
 * Names and dates in them mean nothing; fingerprints of the key do.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { pkcs8Of, type Identity } from './identity.js';

/** Certificate and private key, both PEM, as Node's TLS takes them. */
export interface TlsCredentials {
  readonly cert: string;
  readonly key: string;
}

/** Loads the library, about 200 ms, in time that is spent waiting anyway. */
export async function prepareCertificates(): Promise<void> {
  await import('reflect-metadata');
  await import('@peculiar/x509');
}

/** The library is loaded at first use, where {@link prepareCertificates} has not done so. */
export async function selfSignedCertificate(identity: Identity): Promise<TlsCredentials> {
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const { subtle } = webcrypto;
  const keys = {
    privateKey: await subtle.importKey('pkcs8', pkcs8Of(identity), 'Ed25519', true, ['sign']),
    publicKey: await subtle.importKey('spki', identity.spki, 'Ed25519', true, ['verify']),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: 'CN=p2p-chat',
      // RFC 5280 section 4.1.2.5 for a certificate without a meaningful end.
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      keys,
      signingAlgorithm: { name: 'Ed25519' },
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: identity.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}
