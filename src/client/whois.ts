/**
 * What this client knows of somebody: key and trust, presence, and the session where there is one. For WHOIS.
 *
 * Gathers only; where each of these is kept is the business of peer-trust.ts, the server and session.ts.
 */
import { LinkLost, P2pError } from '../protocol/errors.js';
import { canonicalUserName } from '../protocol/names.js';
import type { SessionInfo, WhoisInfo } from './api.js';
import type { PeerTrust } from './peer-trust.js';
import type { ServerLink } from './server-link.js';
import type { Session } from './session.js';

export interface WhoisSources {
  /** The own name and key. */
  readonly user: string;
  readonly fingerprint: string;
  readonly trust: Pick<PeerTrust, 'pinOf' | 'undecided'>;
  /** An open session with the one who is asked about. */
  readonly session: Session | undefined;
  /** @throws LinkLost while the server link is down. */
  serverLink(): Pick<ServerLink, 'request'>;
}

/** @throws P2pError `unknown-peer` for somebody who is neither known nor online; `bad-pin-file`. */
export async function whois(user: string, sources: WhoisSources): Promise<WhoisInfo> {
  const { user: self, fingerprint: own, trust, session } = sources;
  const isSelf = canonicalUserName(user) === canonicalUserName(self);
  const [presence, pin, shown] = await Promise.all([presenceOf(user, sources), isSelf ? undefined : trust.pinOf(user), session && sessionInfo(session)]);
  const fingerprint = isSelf ? own : pin?.fingerprint;
  if (fingerprint === undefined && presence.online === false) {
    throw new P2pError('unknown-peer', `Nothing is known of ${user}: not online, and never met. GET_CLIENT_LIST shows who is online.`);
  }
  const offered = trust.undecided(user);
  return {
    user: presence.user ?? session?.peer ?? user,
    self: isSelf,
    ...(presence.online === undefined ? {} : { online: presence.online }),
    ...(presence.away === undefined ? {} : { away: presence.away }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(pin?.since === undefined ? {} : { since: pin.since }),
    verified: pin?.verified !== undefined,
    ...(pin?.verified === undefined ? {} : { verifiedOn: pin.verified }),
    ...(offered.length === 0 ? {} : { offered }),
    ...(shown === undefined ? {} : { session: shown }),
  };
}

interface Presence {
  /** As spelled at registration. */
  readonly user?: string;
  readonly online?: boolean;
  readonly away?: string;
}

async function presenceOf(user: string, sources: WhoisSources): Promise<Presence> {
  try {
    // Of all names that begin so, the name itself sorts first.
    const { clients, away } = await sources.serverLink().request({ type: 'list', prefix: user }, 'clients');
    const [first] = clients;
    if (first === undefined || canonicalUserName(first) !== canonicalUserName(user)) return { online: false };
    const text = away?.find((one) => one.user === first)?.text;
    return { user: first, online: true, ...(text === undefined ? {} : { away: text }) };
  } catch (error) {
    if (error instanceof LinkLost) return {};
    throw error;
  }
}

async function sessionInfo(session: Session): Promise<SessionInfo | undefined> {
  const { state, introduced, openedAt } = session;
  if (state === 'ending') return undefined;
  const roundTripMs = await session.measureRoundTrip();
  const { sent, received } = session.traffic;
  return {
    state,
    direction: introduced.direction,
    path: 'direct',
    addresses: introduced.addresses.length > 0 ? introduced.addresses : [introduced.link.address],
    since: openedAt.toISOString(),
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
    bytesSent: sent,
    bytesReceived: received,
  };
}
