/**
 * Who may connect at all, decided before any cryptography is paid for (DESIGN 3.1; HOSTILE 2, 4).
 *
 * Counts only. What happens on an admitted connection, and its deadlines, is the business of server.ts and server-link.ts.
 */
import ipaddr from 'ipaddr.js';
import { plainAddress, scopeOf } from '../protocol/candidates.js';
import { serverLimits } from '../protocol/limits.js';
import { Rates } from './rates.js';

/** What admission needs to know; tests give other numbers. */
export interface AdmissionRules {
  readonly connectionsPerAddress: number;
  readonly newConnectionsPerAddressPerMinute: number;
  readonly unauthenticatedConnections: number;
  /** Whether the caps per address leave this one out. The total holds for everybody. */
  readonly isExempt: (address: string) => boolean;
}

export const DEFAULT_ADMISSION: AdmissionRules = {
  connectionsPerAddress: serverLimits.connectionsPerAddress,
  newConnectionsPerAddressPerMinute: serverLimits.newConnectionsPerAddressPerMinute,
  unauthenticatedConnections: serverLimits.unauthenticatedConnections,
  isExempt: (address) => scopeOf(address) === 'loopback',
};

export type AdmissionRefusal = 'too many unauthenticated connections' | 'too many connections from one address' | 'too many new connections from one address';

/** The place of one admitted connection. Both methods are idempotent. */
export interface AdmissionTicket {
  /** It has logged in: it no longer counts as a stranger. */
  authenticated(): void;
  /** It is gone. */
  release(): void;
}

export class Admission {
  readonly #rules: AdmissionRules;
  readonly #newConnections: Rates;
  readonly #perAddress = new Map<string, number>();
  #unauthenticated = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    this.#newConnections = new Rates({ points: rules.newConnectionsPerAddressPerMinute, seconds: 60 });
  }

  /** Connections before login, right now. */
  get unauthenticated(): number {
    return this.#unauthenticated;
  }

  /** `address` is the remote address of the socket. */
  async admit(address: string): Promise<AdmissionTicket | AdmissionRefusal> {
    const { connectionsPerAddress, unauthenticatedConnections, isExempt } = this.#rules;
    const exempt = isExempt(address);
    const key = addressKey(address);
    if (this.#unauthenticated >= unauthenticatedConnections) return 'too many unauthenticated connections';
    if (!exempt && (this.#perAddress.get(key) ?? 0) >= connectionsPerAddress) return 'too many connections from one address';
    // The place is taken before anything is awaited, so that no two can have the last one.
    const ticket = this.#ticket(key);
    if (exempt || (await this.#newConnections.take(key))) return ticket;
    ticket.release();
    return 'too many new connections from one address';
  }

  #ticket(key: string): AdmissionTicket {
    let state: 'stranger' | 'authenticated' | 'gone' = 'stranger';
    this.#unauthenticated += 1;
    this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1);
    return {
      authenticated: () => {
        if (state !== 'stranger') return;
        state = 'authenticated';
        this.#unauthenticated -= 1;
      },
      release: () => {
        if (state === 'gone') return;
        if (state === 'stranger') this.#unauthenticated -= 1;
        state = 'gone';
        const left = (this.#perAddress.get(key) ?? 1) - 1;
        if (left === 0) this.#perAddress.delete(key);
        else this.#perAddress.set(key, left);
      },
    };
  }
}

/** What counts as one address: IPv4 whole, IPv6 by its /64, since one customer gets at least that much (RFC 6177). */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  if (!ipaddr.isValid(plain)) return plain;
  const parsed = ipaddr.parse(plain);
  if (parsed instanceof ipaddr.IPv6) return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(':')}::/64`;
  return plain;
}
