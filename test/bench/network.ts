/** Where the two sides of a transfer run. */
import { thisHost } from '../helpers/processes.js';
import type { Host } from '../helpers/processes.js';

export interface Network {
  readonly sender: Host;
  /** Servers, daemons and mailboxes run here too. */
  readonly receiver: Host;
}

export const loopback: Network = { sender: thisHost, receiver: thisHost };
