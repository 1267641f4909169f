/** Real TCP and TLS on loopback for tests; everything opened is closed after the test that asked for it. */
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { selfSignedCertificate, type TlsCredentials } from '../../src/security/certificate.js';
import { generateIdentity, type Identity } from '../../src/security/identity.js';

export interface TestIdentity extends Identity {
  readonly credentials: TlsCredentials;
}

export async function testIdentity(): Promise<TestIdentity> {
  const identity = generateIdentity();
  return { ...identity, credentials: await selfSignedCertificate(identity) };
}

/** A TCP server on a free loopback port. */
export async function tcpServer(t: TestContext, onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Both ends of one TCP connection over loopback. */
export async function tcpPair(t: TestContext): Promise<{ dialled: Socket; accepted: Socket }> {
  let accept: (socket: Socket) => void = () => undefined;
  const acceptedPromise = new Promise<Socket>((resolve) => (accept = resolve));
  const { port } = await tcpServer(t, (socket) => accept(socket));
  const dialled = net.connect({ host: '127.0.0.1', port, noDelay: true });
  t.after(() => dialled.destroy());
  await once(dialled, 'connect');
  return { dialled, accepted: await acceptedPromise };
}
