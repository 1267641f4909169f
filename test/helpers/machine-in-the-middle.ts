/** Somebody between client and server: either passes TCP bytes on, or ends TLS with a certificate of his own and relays what is inside. */
import net, { type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Connection } from '../../src/net/connection.js';
import { systemClock } from '../../src/net/clock.js';
import { acceptTls, connectTls, tlsContext } from '../../src/net/tls.js';
import { jsonFrame } from '../../src/protocol/frames.js';
import { encodeServerLinkMessage, parseClientMessage, parseServerMessage } from '../../src/protocol/server-messages.js';
import { SERVER_ALPN } from '../../src/protocol/version.js';
import { generateIdentity } from '../../src/security/identity.js';
import { tcpServer, testIdentity } from './sockets.js';

export interface MiddleOptions {
  /** Of the real server. */
  readonly port: number;
  readonly tls: 'passed' | 'ended';
  /** Answers the client's login with a welcome of his own when the server refuses it. */
  readonly flatter?: boolean;
}

export interface Middle {
  readonly port: number;
  /** Messages passed on, both ways. */
  readonly relayed: number;
  /** Cuts every connection that passes. */
  cut(): void;
}

export async function machineInTheMiddle(t: TestContext, options: MiddleOptions): Promise<Middle> {
  const { credentials } = await testIdentity();
  const open = new Set<Socket>();
  let relayed = 0;
  const { port } = await tcpServer(t, (client) => {
    const server = net.connect({ port: options.port, host: '127.0.0.1' });
    server.on('error', () => client.destroy());
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    if (options.tls === 'passed') {
      client.pipe(server).pipe(client);
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
    } else {
      void relay(client, server).catch(() => client.destroy());
    }
  });
  t.after(() => {
    for (const socket of open) socket.destroy();
  });

  async function relay(client: Socket, server: Socket): Promise<void> {
    const handshake = { alpn: SERVER_ALPN, clock: systemClock };
    const inner = await acceptTls(client, { ...handshake, context: tlsContext(credentials) });
    const outer = await connectTls(server, { ...handshake, context: tlsContext(undefined) });
    const toServer = new Connection(outer, handlersFor((body) => toClient.send(fromServer(body)), () => toClient.destroy()));
    const toClient = new Connection(inner, handlersFor((body) => toServer.send(fromClient(body)), () => toServer.destroy()));
  }

  let user = '';
  function fromClient(body: Uint8Array): Uint8Array {
    relayed += 1;
    const message = parseClientMessage(body);
    if (message.type === 'login-start') user = message.user;
    return jsonFrame(body);
  }

  function fromServer(body: Uint8Array): Uint8Array {
    relayed += 1;
    const message = parseServerMessage(body);
    if (options.flatter !== true || message.type !== 'error' || message.id === undefined) return jsonFrame(body);
    const publicKey = generateIdentity().spki.toString('base64url');
    const proof = 'A'.repeat(43);
    return encodeServerLinkMessage({ type: 'welcome', id: message.id, user, publicKey, sealedKey: 'AAAA', proof, observed: { address: '127.0.0.1', port: 1 } });
  }

  return {
    port,
    get relayed() {
      return relayed;
    },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

function handlersFor(onBody: (body: Uint8Array) => void, onEnd: () => void) {
  return {
    clock: systemClock,
    sendQueueBytes: 1 << 20,
    handlers: {
      onFrame: (event: { kind: string; body?: Uint8Array }) => {
        if (event.body !== undefined) onBody(event.body);
      },
      onPingDue: () => undefined,
      farewell: () => undefined,
      onEnd,
    },
  };
}
