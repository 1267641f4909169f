/**
 * Proofs that both ends of a login share one TLS channel (PROTOCOL.md 6.3): what defeats a man in the middle at first contact.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { label } from '../protocol/version.js';

const EXPORTER_BYTES = 32;

/** 32 bytes that only the two ends of this TLS connection know (RFC 8446 section 7.5). The handshake must be complete. */
export function channelExporter(socket: TLSSocket): Buffer {
  // Node's types demand a context; leaving it out means "no context", which in TLS 1.3 equals the empty one.
  return socket.exportKeyingMaterial(EXPORTER_BYTES, label.exporter, Buffer.alloc(0));
}

export type ProofSide = 'client' | 'server';

/** `sessionKey` is OPAQUE's, base64url; the result too. */
export function channelProof(side: ProofSide, sessionKey: string, exporter: Uint8Array): string {
  const text = side === 'client' ? label.clientProof : label.serverProof;
  return createHmac('sha256', Buffer.from(sessionKey, 'base64url')).update(`${text}\0`).update(exporter).digest('base64url');
}

/** Compares in constant time. */
export function isChannelProof(proof: string, side: ProofSide, sessionKey: string, exporter: Uint8Array): boolean {
  const given = Buffer.from(proof, 'base64url');
  const expected = Buffer.from(channelProof(side, sessionKey, exporter), 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
