/**
 * Outgoing TCP connections with a deadline, and words for what may go wrong with them.
 */
import net, { type Socket } from 'node:net';
import { formatEndpoint } from '../protocol/candidates.js';
import { errorText, LinkLost, systemCode } from '../protocol/errors.js';
import { timeLimits } from '../protocol/limits.js';
import type { Clock } from './clock.js';

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to `host:port`; a name is tried at all of its addresses (RFC 8305, by Node).
 *
 * @throws LinkLost with a message that says why, after at most {@link timeLimits.connectMs}.
 */
export function dialTcp({ host, port, clock, signal }: DialOptions): Promise<Socket> {
  return connected(net.connect({ host, port, noDelay: true, keepAlive: true, autoSelectFamily: true }), { clock, signal });
}

/** Waits for a socket that is dialling, by the same rules; it is destroyed where they end the attempt. */
export function connected<TSocket extends Socket>(socket: TSocket, { clock, signal }: Pick<DialOptions, 'clock' | 'signal'>): Promise<TSocket> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      timer.stop();
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
    };
    const fail = (error: LinkLost) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(new LinkLost('link-lost', 'not needed any more'));
    const onConnect = () => {
      settle();
      socket.off('error', onError);
      resolve(socket);
    };
    const onError = (cause: Error) => fail(new LinkLost('cannot-connect', dialText(cause), { cause }));
    const timer = clock.after(timeLimits.connectMs, () => fail(new LinkLost('timed-out', 'no answer')));
    socket.once('connect', onConnect).on('error', onError);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const SYSTEM_WORDS: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'no route to that machine',
  ENETUNREACH: 'no route to that network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name server does not answer',
  ECONNRESET: 'the connection was cut',
  EACCES: 'a firewall of this machine forbids it',
};

function dialText(cause: Error): string {
  // With several addresses Node reports one AggregateError; its first member is as good as any.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return SYSTEM_WORDS[systemCode(first) ?? ''] ?? errorText(first);
}

/** `ip:port` of the other end. */
export function remoteEndpoint(socket: Socket): string {
  return formatEndpoint((socket.remoteAddress ?? 'unknown').replace(/^::ffff:/u, ''), socket.remotePort ?? 0);
}
