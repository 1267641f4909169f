/**
 * TLS 1.3 over an accepted or dialled TCP socket (PROTOCOL.md 1): the one place that knows Node's sharp corners.
 *
 * Owns the handshake and its deadline. Certificates are not judged here: callers compare the fingerprint that
 * {@link peerFingerprint} returns before they read or write a byte, since with `rejectUnauthorized: false` Node calls
 * neither a verifier nor `checkServerIdentity`.
 */
import { constants } from 'node:crypto';
import net, { type Socket } from 'node:net';
import tls, { type SecureContext, type TLSSocket } from 'node:tls';
import { errorText, LinkLost, RemoteViolation, systemCode } from '../protocol/errors.js';
import { timeLimits } from '../protocol/limits.js';
import type { TlsCredentials } from '../security/certificate.js';
import { fingerprintOf } from '../security/identity.js';
import type { Clock } from './clock.js';
import { connected, type DialOptions } from './dial.js';
import { SingleBuffer } from './socket-reads.js';

/** TLS_AES_128_GCM is the fastest suite on machines with AES instructions; the others serve those without. */
const SUITES = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';
const TLS_1_3 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: SUITES } as const;

/**
 * A context for either end. No session is ever resumed, so every link proves its keys anew: with SSL_OP_NO_TICKET
 * OpenSSL still names two sessions to a TLS 1.3 client, but keeps nothing by which it could accept them (measured).
 */
export function tlsContext(credentials: TlsCredentials | undefined): SecureContext {
  return tls.createSecureContext({ ...TLS_1_3, ...credentials, secureOptions: constants.SSL_OP_NO_TICKET });
}

export interface HandshakeOptions {
  readonly context: SecureContext;
  readonly alpn: string;
  readonly clock: Clock;
  /** Host name for SNI and for system trust; only for a TLS client, never an IP address. */
  readonly serverName?: string | undefined;
  /** Whether a TLS server demands a certificate. */
  readonly requestCertificate?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Default {@link timeLimits.tlsHandshakeMs}. */
  readonly timeoutMs?: number;
}

/**
 * The TLS server's handshake on `raw`.
 *
 * @returns the socket after the handshake, with ALPN agreed; nothing has been read from it.
 * @throws LinkLost when the other side goes away, is too slow or speaks something else; `raw` is destroyed then.
 */
export function acceptTls(raw: Socket, options: HandshakeOptions): Promise<TLSSocket> {
  const socket = new tls.TLSSocket(raw, {
    isServer: true,
    secureContext: options.context,
    ALPNProtocols: [options.alpn],
    requestCert: options.requestCertificate === true,
    rejectUnauthorized: false,
  });
  return handshake(raw, socket, 'secure', options);
}

/** The TLS client's handshake on the connected `raw`; otherwise like {@link acceptTls}. */
export function connectTls(raw: Socket, options: HandshakeOptions): Promise<TLSSocket> {
  const { serverName } = options;
  const socket = tls.connect({
    ...TLS_1_3,
    socket: raw,
    secureContext: options.context,
    ALPNProtocols: [options.alpn],
    rejectUnauthorized: false,
    ...(serverName !== undefined && net.isIP(serverName) === 0 ? { servername: serverName } : {}),
  });
  return handshake(raw, socket, 'secureConnect', options);
}

/**
 * Dials and is the TLS client; what comes is read into one buffer (socket-reads.ts). Otherwise like {@link connectTls}.
 *
 * @throws LinkLost also when the connection does not come about.
 */
export async function dialTls({ host, port }: Pick<DialOptions, 'host' | 'port'>, options: HandshakeOptions): Promise<TLSSocket> {
  const single = new SingleBuffer();
  const dial: tls.ConnectionOptions & Pick<net.ConnectOpts, 'onread'> = {
    ...TLS_1_3,
    host,
    port,
    onread: single.onread,
    secureContext: options.context,
    ALPNProtocols: [options.alpn],
    rejectUnauthorized: false,
  };
  const socket = tls.connect(dial);
  single.belongsTo(socket);
  await connected(socket, options);
  socket.setNoDelay(true).setKeepAlive(true);
  return await handshake(socket, socket, 'secureConnect', options);
}

function handshake(raw: Socket, socket: TLSSocket, done: 'secure' | 'secureConnect', options: HandshakeOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      settle();
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const lost = (cause: unknown) => fail(new LinkLost('link-lost', handshakeText(cause), { cause }));
    const onError = (error: Error) => lost(error);
    const onClose = () => lost(new Error('The other side closed the connection during the TLS handshake.'));
    const onAbort = () => fail(new LinkLost('link-lost', 'The attempt was ended.'));
    const onDone = () => {
      if (socket.alpnProtocol !== options.alpn) {
        fail(new RemoteViolation('unsupported-version', `The other side does not speak ${options.alpn}.`));
        return;
      }
      settle();
      resolve(socket);
    };
    const timer = options.clock.after(options.timeoutMs ?? timeLimits.tlsHandshakeMs, () =>
      fail(new LinkLost('timed-out', 'The other side did not finish the TLS handshake in time.')),
    );
    const settle = () => {
      timer.stop();
      options.signal?.removeEventListener('abort', onAbort);
      socket.off(done, onDone).off('close', onClose);
      raw.off('close', onClose);
    };
    // The error listeners stay for the life of the sockets: an 'error' event without one would end the program.
    socket.on('error', onError);
    raw.on('error', onError);
    socket.once(done, onDone).once('close', onClose);
    raw.once('close', onClose);
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function handshakeText(cause: unknown): string {
  const code = systemCode(cause) ?? '';
  if (code === 'ECONNRESET') return 'The other side closed the connection during the TLS handshake.';
  if (code.includes('NO_APPLICATION_PROTOCOL')) return 'The other side is not a p2p-chat program of a known version.';
  if (/^ERR_SSL_(?:WRONG_VERSION_NUMBER|HTTP_REQUEST|UNSUPPORTED_PROTOCOL|PACKET_LENGTH_TOO_LONG)/u.test(code)) {
    return 'The other side does not speak TLS 1.3.';
  }
  return code === '' ? errorText(cause) : `The TLS handshake failed (${code}).`;
}

/** Fingerprint of the certificate that the other side proved, or undefined when it showed none. */
export function peerFingerprint(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate && fingerprintOf(certificate.publicKey.export({ format: 'der', type: 'spki' }));
}

/** Whether the system's roots vouch for the server's certificate and it is for `host`. */
export function isTrustedBySystem(socket: TLSSocket, host: string): boolean {
  return socket.authorized && tls.checkServerIdentity(host, socket.getPeerCertificate()) === undefined;
}
