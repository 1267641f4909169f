/** A session over in-memory links, and a peer made by hand or a second session at the other end; links are broken and made as a test says. */
import type { ClientEvent } from '../../src/client/api.js';
import type { Introduced } from '../../src/client/introductions.js';
import { Session, type Ended, type SessionOptions, type Transfers } from '../../src/client/session.js';
import type { Clock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { PeerLink, type Continuity } from '../../src/net/peer-link.js';
import { P2pError, RemoteViolation } from '../../src/protocol/errors.js';
import { duplexPair } from './duplex-pair.js';

export const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

/** Introduction ids that are easy to tell from others: `AAA…1`. */
export const introductionId = (n: number) => String(n).padStart(22, 'A');

export interface LinkPair {
  readonly asker: PeerLink;
  readonly answerer: PeerLink;
  /** Breaks it for both, whatever is on its way. */
  cut(): void;
}

/** An open link, its hellos exchanged; `onBegun` gets it before. @throws LinkLost when it is cut meanwhile. */
export async function linkPair(
  clock: Clock,
  introduction: string,
  asker: () => Continuity,
  answerer: (heard: Continuity) => Continuity,
  onBegun: (pair: LinkPair) => void = () => undefined,
): Promise<LinkPair> {
  const [near, far] = duplexPair();
  const pair = {
    asker: new PeerLink(near, { role: 'asker', clock, address: '192.0.2.1:4000', fingerprint: FINGERPRINT, agent: 'test' }),
    answerer: new PeerLink(far, { role: 'answerer', clock, address: '192.0.2.2:4000', fingerprint: FINGERPRINT, agent: 'test' }),
  };
  const cut = () => {
    near.destroy();
    far.destroy();
  };
  onBegun({ ...pair, cut });
  pair.asker.sendHello(introduction, asker());
  await pair.answerer.receiveHello();
  pair.answerer.sendHello(introduction, answerer(pair.answerer.heard));
  await pair.asker.receiveHello();
  pair.asker.sendGo();
  await pair.answerer.receiveGo();
  return { ...pair, cut };
}

export function introducedBy(link: PeerLink, introduction: string, peer: string, direction: Introduced['direction']): Introduced {
  return { introduction, peer, fingerprint: FINGERPRINT, direction, link, addresses: [], firstContact: false, provisional: false };
}

/** Transfers that only write down what their session does with them. */
export function recordedTransfers(calls: string[]): Transfers {
  const none = () => Promise.reject(new P2pError('no-such-transfer', 'None.'));
  return {
    attach: (_port, how) => void calls.push(`attach ${how}`),
    detach: () => void calls.push('detach'),
    close: (code) => Promise.resolve(void calls.push(`close ${code}`)),
    handleMessage: (message) => void calls.push(message.type),
    handleData: (transfer, entry, offset, bytes, first) => {
      calls.push(`data ${transfer} ${entry} ${offset} ${bytes.length} ${String(first)}`);
      if (transfer === 404) throw new RemoteViolation('unexpected-message', 'Never offered.');
    },
    handleEntryEnd: (transfer, entry, status, blake3) => void calls.push(`end ${transfer} ${entry} ${status} ${blake3.slice(0, 4)}`),
    offer: none,
    offerPipe: none,
    accept: none,
    reject: none,
    cancel: none,
    pause: none,
    resume: none,
    has: () => false,
    hasOffer: () => false,
    snapshots: () => [],
  };
}

export interface RecordedSession {
  readonly session: Session;
  readonly events: ClientEvent[];
  /** What its transfers were told. */
  readonly calls: string[];
  readonly end: Promise<Ended>;
  /** `in hello`, `out hi`, in order. */
  readonly texts: () => string[];
}

export function recordedSession(options: Pick<SessionOptions, 'introduced' | 'clock' | 'reconnect'> & { readonly onEvent?: (event: ClientEvent) => void | Promise<void> }): RecordedSession {
  const { onEvent, ...rest } = options;
  const events: ClientEvent[] = [];
  const calls: string[] = [];
  const end = deferred<Ended>();
  const session = new Session({
    ...rest,
    random: () => 1,
    makeTransfers: () => recordedTransfers(calls),
    emit: (event) => {
      events.push(event);
      return onEvent?.(event);
    },
    onEnd: (_session, how) => end.resolve(how),
  });
  return { session, events, calls, end: end.promise, texts: () => events.flatMap((event) => (event.event === 'message' ? [`${event.direction} ${event.text}`] : [])) };
}
