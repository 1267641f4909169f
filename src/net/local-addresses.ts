/** The addresses of this machine, from the system; which of them travel is decided in protocol/candidates.ts. */
import { networkInterfaces } from 'node:os';

export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter((one) => !one.internal).map((one) => one.address));
}
