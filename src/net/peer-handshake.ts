/**
 * From a TCP socket to an authenticated peer link: who speaks first, TLS with both keys, hello (PROTOCOL.md 7.2, 7.3).
 *
 * Owns the check that the other's key belongs to a running introduction. That the introduction's key agrees with the pin
 * was checked before the introduction was let in here.
 */
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { LinkLost } from '../protocol/errors.js';
import { timeLimits } from '../protocol/limits.js';
import type { Candidate } from '../protocol/fields.js';
import type { PeerRole } from '../protocol/peer-messages.js';
import { PEER_ALPN } from '../protocol/version.js';
import type { Clock } from './clock.js';
import { dialTcp, remoteEndpoint } from './dial.js';
import { PeerLink, type Continuity } from './peer-link.js';
import type { LinkMover } from './link-move.js';
import { acceptTls, connectTls, dialTls, peerFingerprint } from './tls.js';

/** One running introduction, as far as a handshake must know it. */
export interface Expected {
  readonly introduction: string;
  /** Our own role in it. */
  readonly role: PeerRole;
  /** The key that the other must prove. */
  readonly fingerprint: string;
  /** What our hello says about a session with this peer; `heard`: what the asker's did, where we answer. */
  continuity?(heard: Continuity | undefined): Continuity;
}

export interface PeerHandshakeOptions {
  readonly context: SecureContext;
  readonly clock: Clock;
  readonly agent: string;
  readonly signal?: AbortSignal | undefined;
  /** Lets the link go over to another connection. */
  readonly mover?: LinkMover | undefined;
}

/** An authenticated link: hellos are exchanged; as answerer, `go` is still to come. */
export interface AuthenticatedLink<TExpected extends Expected> {
  readonly link: PeerLink;
  readonly expected: TExpected;
}

/**
 * Runs TLS and hello on `raw` for the one introduction, or for whichever of several the other belongs to.
 *
 * @throws P2pError when the other is not the one expected; `raw` is destroyed then.
 */
export async function authenticatePeer<TExpected extends Expected>(
  raw: Socket,
  role: PeerRole,
  candidates: () => readonly TExpected[],
  options: PeerHandshakeOptions,
): Promise<AuthenticatedLink<TExpected>> {
  const handshake = { ...options, alpn: PEER_ALPN };
  const socket = await (role === 'asker' ? connectTls(raw, handshake) : acceptTls(raw, { ...handshake, requestCertificate: true }));
  return await exchangeHellos(socket, remoteEndpoint(raw), role, candidates, options);
}

/** Dials the peer of one introduction; as asker with TLS's own socket, which reads into one buffer. Otherwise like {@link authenticatePeer}. */
export async function dialPeer(at: Candidate, expected: Expected, options: PeerHandshakeOptions): Promise<PeerLink> {
  const to = { host: at.address, port: at.port };
  if (expected.role === 'answerer') return (await authenticatePeer(await dialTcp({ ...to, ...options }), 'answerer', () => [expected], options)).link;
  const socket = await dialTls(to, { ...options, alpn: PEER_ALPN });
  return (await exchangeHellos(socket, remoteEndpoint(socket), 'asker', () => [expected], options)).link;
}

async function exchangeHellos<TExpected extends Expected>(
  socket: TLSSocket,
  address: string,
  role: PeerRole,
  candidates: () => readonly TExpected[],
  { clock, agent, signal, mover }: PeerHandshakeOptions,
): Promise<AuthenticatedLink<TExpected>> {
  const fingerprint = peerFingerprint(socket);
  const matching = candidates().filter((one) => one.role === role && one.fingerprint === fingerprint);
  const [first] = matching;
  if (fingerprint === undefined || first === undefined) {
    socket.destroy();
    throw new LinkLost('peer-key-wrong', fingerprint === undefined ? 'the other side showed no key' : 'the other side has a different key');
  }
  const link = new PeerLink(socket, { role, clock, address, fingerprint, agent, mover });
  const onAbort = () => link.destroy(new LinkLost('link-lost', 'not needed any more'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (role === 'asker') link.sendHello(first.introduction, first.continuity?.(undefined));
    const { introduction } = await link.receiveHello();
    const expected = matching.find((one) => one.introduction === introduction);
    if (expected === undefined) throw new LinkLost('peer-key-wrong', 'the other side named another introduction');
    if (role === 'answerer') link.sendHello(introduction, expected.continuity?.(link.heard));
    return { link, expected };
  } catch (error) {
    link.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * Our role on a connection that somebody dialled to us. A ClientHello shows an asker; silence shows an answerer who waits
 * for ours, if we have asked anybody.
 *
 * @throws LinkLost when the connection ends first.
 */
export function roleOfAccepted(raw: Socket, hasAsked: () => boolean, clock: Clock): Promise<PeerRole> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      timer.stop();
      raw.off('readable', onReadable).off('close', onClose);
      action();
    };
    // 'readable' leaves the bytes where they are; TLS takes them from there.
    const onReadable = () => {
      if (raw.readableLength > 0) settle(() => resolve('answerer'));
    };
    const onClose = () => settle(() => reject(new LinkLost('link-lost', 'the connection was closed')));
    const timer = clock.after(timeLimits.silentDialerMs, () => settle(() => resolve(hasAsked() ? 'asker' : 'answerer')));
    raw.on('readable', onReadable).once('close', onClose);
    if (!hasAsked()) settle(() => resolve('answerer'));
  });
}
