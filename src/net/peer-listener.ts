/**
 * The port at which peers may reach this client: accepts TCP, holds strangers to a cap (HOSTILE 19), hands sockets on.
 *
 * TLS and identity are checked by whoever takes the socket (peer-handshake.ts).
 */
import net, { type Socket } from 'node:net';
import { plainAddress } from '../protocol/candidates.js';
import { errorText, P2pError, systemCode } from '../protocol/errors.js';
import { peerLimits } from '../protocol/limits.js';

export interface PeerListenerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Whether anybody is expected; others are turned away at once. */
  expecting(): boolean;
  /** Takes the socket over; the returned promise settles once it is authenticated or gone, and never rejects. */
  onSocket(socket: Socket): Promise<void>;
}

export class PeerListener {
  readonly #server: net.Server;
  readonly #options: PeerListenerOptions;
  /** Sockets that have not proven who they are, per address. */
  readonly #strangers = new Map<string, Set<Socket>>();

  private constructor(server: net.Server, options: PeerListenerOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (socket) => void this.#onConnection(socket));
    // A failing accept (EMFILE) concerns one connection; there is nobody to tell but the dialler, who sees it fail.
    server.on('error', () => undefined);
  }

  /** Listens on all addresses, IPv6 and IPv4. @throws P2pError `port-in-use`. */
  static async listen(options: PeerListenerOptions): Promise<PeerListener> {
    const server = net.createServer({ noDelay: true, keepAlive: true });
    try {
      await listenOn(server, '::', options.port);
    } catch (error) {
      if (systemCode(error) !== 'EAFNOSUPPORT' && systemCode(error) !== 'EADDRNOTAVAIL') throw listenError(options.port, error);
      await listenOn(server, '0.0.0.0', options.port).catch((cause: unknown) => {
        throw listenError(options.port, cause);
      });
    }
    return new PeerListener(server, options);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Stops listening and drops strangers; authenticated links go on. Idempotent. */
  async close(): Promise<void> {
    for (const sockets of this.#strangers.values()) for (const socket of sockets) socket.destroy();
    // Resolves only when the last authenticated socket has gone, which is not what the caller waits for.
    this.#server.close();
    await Promise.resolve();
  }

  async #onConnection(socket: Socket): Promise<void> {
    const address = plainAddress(socket.remoteAddress ?? '');
    const ofAddress = this.#strangers.get(address) ?? new Set<Socket>();
    const total = [...this.#strangers.values()].reduce((sum, sockets) => sum + sockets.size, 0);
    const full = total >= peerLimits.unauthenticatedConnections || ofAddress.size >= peerLimits.unauthenticatedPerAddress;
    socket.on('error', () => socket.destroy());
    if (full || !this.#options.expecting()) {
      socket.destroy();
      return;
    }
    this.#strangers.set(address, ofAddress.add(socket));
    try {
      await this.#options.onSocket(socket);
    } finally {
      ofAddress.delete(socket);
      if (ofAddress.size === 0) this.#strangers.delete(address);
    }
  }
}

function listenOn(server: net.Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function listenError(port: number, cause: unknown): P2pError {
  const reason = systemCode(cause) === 'EADDRINUSE' ? 'another program uses it' : errorText(cause);
  return new P2pError('port-in-use', `Cannot listen on port ${port}: ${reason}. Choose another with --listen-port.`, { cause });
}
