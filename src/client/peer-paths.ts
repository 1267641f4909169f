/**
 * The ways to one introduced peer (PROTOCOL.md 7.1, 7.3): each of its candidates, and its own dials to us. Later kinds of path are
 * further entries of the same list.
 *
 * Which of them is taken is decided by the race (net/race.ts), and by the asker.
 */
import { debuglog } from 'node:util';
import { dialPeer, type PeerHandshakeOptions } from '../net/peer-handshake.js';
import type { PeerLink } from '../net/peer-link.js';
import type { Path } from '../net/race.js';
import { dialOrder, formatEndpoint, mayDial } from '../protocol/candidates.js';
import { errorText, LinkLost } from '../protocol/errors.js';
import type { Candidate } from '../protocol/fields.js';
import { timeLimits } from '../protocol/limits.js';
import type { AwaitedPeer } from './awaited-peer.js';

const debug = debuglog('p2p-introduction');

/** Each yields a link that is open, or would be with the asker's `go`. */
export function pathsTo(awaited: AwaitedPeer, candidates: readonly Candidate[], handshake: PeerHandshakeOptions): Path<PeerLink>[] {
  const dials = dialOrder(candidates.filter(mayDial)).map(
    (candidate, index): Path<PeerLink> => ({
      name: formatEndpoint(candidate.address, candidate.port),
      delayMs: index * timeLimits.staggerMs,
      attempt: (signal) => dial(awaited, candidate, { ...handshake, signal }),
    }),
  );
  return [...dials, { name: `${awaited.user}'s own attempts`, delayMs: 0, attempt: (signal) => arrival(awaited, signal) }];
}

async function dial(awaited: AwaitedPeer, candidate: Candidate, handshake: PeerHandshakeOptions & { readonly signal: AbortSignal }): Promise<PeerLink> {
  return await chosen(awaited, await dialPeer(candidate, awaited, handshake), handshake.signal);
}

/** Several of the other's dials may arrive; the first that is chosen counts. */
function arrival(awaited: AwaitedPeer, signal: AbortSignal): Promise<PeerLink> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const onAbort = () => {
      stop.abort();
      reject(new LinkLost('closed', 'none arrived here'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    awaited.handOver((link) => {
      if (stop.signal.aborted) {
        link.destroy();
        return;
      }
      chosen(awaited, link, stop.signal).then(
        (one) => {
          resolve(one);
          stop.abort();
        },
        (error: unknown) => debug('a link that arrived was not chosen: %s', errorText(error)),
      );
    });
  });
}

/** As asker we choose; as answerer a link counts once the asker has chosen it. */
async function chosen(awaited: AwaitedPeer, link: PeerLink, signal: AbortSignal): Promise<PeerLink> {
  if (awaited.role === 'asker') return link;
  const onAbort = () => link.destroy(new LinkLost('closed', 'another path was chosen'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await link.receiveGo();
    return link;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
