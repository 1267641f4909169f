/**
 * Candidates: which addresses a client names, which of them the server passes on (PROTOCOL.md 5.5; HOSTILE 11).
 *
 * Pure decisions about addresses; finding out one's own is the business of net/.
 */
import ipaddr from 'ipaddr.js';
import type { Candidate, Reach } from './fields.js';
import { peerLimits } from './limits.js';

/** Where an address can be reached from. `never` is everything at which no client may be pointed. */
export type Scope = 'loopback' | 'private' | 'public' | 'never';

/** All that is assigned for global unicast (RFC 4291 section 2.4, IANA); ipaddr calls `::127.0.0.1` in hexadecimal unicast too. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Text form without IPv4-in-IPv6 mapping and without zone: `::ffff:10.0.0.1` and `10.0.0.1` are one address. */
export function plainAddress(address: string): string {
  const bare = address.split('%')[0] ?? address;
  return isAddress(bare) ? ipaddr.process(bare).toString() : bare;
}

/** Stricter than `ipaddr.isValid`, which also takes `127.1`, `0x7f.1` and `2130706433`. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/** The class of an address. Link-local is `never`: 169.254.169.254 lives there, and fe80:: needs a zone that does not travel. */
export function scopeOf(address: string): Scope {
  if (!isAddress(address)) return 'never';
  const parsed = ipaddr.process(address);
  const range: string = parsed.range();
  if (range === 'loopback') return 'loopback';
  if (range === 'private' || range === 'uniqueLocal' || range === 'carrierGradeNat') return 'private';
  return range === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6)) ? 'public' : 'never';
}

/** What the server has seen of a client: `address` is the remote address of its server link, `local` the server's own end of it. */
export interface Seen {
  readonly address: string;
  readonly local: string;
}

/**
 * The candidates of one client (`owner`) that the server tells another (`reader`): claimed private addresses where both
 * can be in one private network, then the observed address with the claimed port. Loopback only between two clients on
 * the server's own machine. At most `peerLimits.candidates`, no duplicates.
 */
export function candidatesToPass(claimed: Reach, owner: Seen, reader: Seen): Candidate[] {
  const passed: Candidate[] = [];
  if (mayShareNetwork(owner, reader)) {
    for (const { address, port } of claimed.candidates) {
      if (scopeOf(address) === 'private') passed.push({ address: plainAddress(address), port });
    }
  }
  // A client on the server's own machine is reached where its reader reaches the server.
  const onServer = scopeOf(owner.address) === 'loopback' && scopeOf(reader.address) !== 'loopback';
  passed.push({ address: plainAddress(onServer ? reader.local : owner.address), port: claimed.port });
  const unique = new Map(passed.filter(mayDial).map((one) => [formatEndpoint(one.address, one.port), one]));
  return [...unique.values()].slice(-peerLimits.candidates);
}

function mayShareNetwork(one: Seen, other: Seen): boolean {
  if (plainAddress(one.address) === plainAddress(other.address)) return true;
  return scopeOf(one.address) !== 'public' && scopeOf(other.address) !== 'public';
}

/** `address:port`, with brackets around IPv6 (RFC 3986 section 3.2.2). */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Order in which a client dials: private, loopback, then the rest, each in the order given (DESIGN 4.3: LAN, then observed). */
export function dialOrder(candidates: readonly Candidate[]): Candidate[] {
  const rank = { private: 0, loopback: 0, public: 1, never: 2 } as const;
  return [...candidates].sort((a, b) => rank[scopeOf(a.address)] - rank[scopeOf(b.address)]);
}

/**
 * What a client still refuses to dial when a server names it: everything that cannot be a client. A hostile server could
 * otherwise aim its users (HOSTILE 11). Loopback stays possible, since two clients may share the server's machine.
 */
export function mayDial(candidate: Candidate): boolean {
  return candidate.port >= peerLimits.lowestPort && scopeOf(candidate.address) !== 'never';
}

/** The client's own claims: its private addresses; the server adds the address that it sees. */
export function ownCandidates(addresses: readonly string[], port: number): Candidate[] {
  const own = addresses.map(plainAddress).filter((address) => scopeOf(address) === 'private');
  return [...new Set(own)].slice(0, peerLimits.candidates).map((address) => ({ address, port }));
}
