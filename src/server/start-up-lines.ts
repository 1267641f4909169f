/**
 * What the server prints on stdout when it is ready (DESIGN 6): for people, and for programs that started it.
 */
import { formatEndpoint } from '../protocol/candidates.js';

/** `[::]:9090` means every address of the machine, IPv6 and IPv4; `0.0.0.0:9090` every IPv4 address. */
export function startUpLines(address: string, port: number, fingerprint: string): string {
  return `p2p-server listening on ${formatEndpoint(address, port)}\nfingerprint ${fingerprint}\n`;
}
