/**
 * Protocol versions and names (PROTOCOL.md 1 and 6): what hello negotiates, what TLS and the derivations are labelled with.
 */
import { RemoteViolation } from './errors.js';

export const PROTOCOL_VERSIONS: readonly number[] = [1];
/** Of a peer link. */
export const FEATURES: readonly string[] = [];
/** Of a server link (PROTOCOL.md 5.1). */
export const SERVER_FEATURES: readonly string[] = ['presence'];

export const SERVER_ALPN = 'p2p-chat/1';
export const PEER_ALPN = 'p2p-chat-peer/1';

/** Labels of every derivation (PROTOCOL.md 6); each is followed by one zero byte where it is part of a hashed or signed input. */
export const label = {
  exporter: 'EXPORTER-p2p-chat-channel',
  clientProof: 'p2p-chat/1 channel client',
  serverProof: 'p2p-chat/1 channel server',
  register: 'p2p-chat/1 register',
  resume: 'p2p-chat/1 resume',
  sealInfo: 'p2p-chat/1 identity seal',
  safetyNumber: 'p2p-chat/1 safety number',
  opaqueServer: 'p2p-chat',
} as const;

/**
 * The highest version that both sides speak.
 *
 * @throws RemoteViolation `unsupported-version`, naming both lists.
 */
export function chooseVersion(theirs: readonly number[]): number {
  const common = PROTOCOL_VERSIONS.filter((version) => theirs.includes(version));
  if (common.length === 0) {
    throw new RemoteViolation(
      'unsupported-version',
      `No common protocol version: this side speaks ${PROTOCOL_VERSIONS.join(', ')}, the other ${theirs.join(', ')}. Update the older program.`,
    );
  }
  return Math.max(...common);
}
