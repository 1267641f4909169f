/**
 * The network between clients of one test: every connection to their listeners runs through here and can be cut, on both sides or
 * so that only one of them learns of it.
 */
import net, { type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { deferred } from '../../src/net/deferred.js';
import { PeerListener } from '../../src/net/peer-listener.js';
import { tcpServer } from './sockets.js';

interface Wire {
  /** Which of the clients listens, counted in the order in which they logged in. */
  readonly owner: number;
  readonly dialler: Socket;
  readonly listener: Socket;
}

export interface PeerCable {
  /** Resets every connection; both ends learn of it. */
  cut(): void;
  /** Resets every connection for one of two clients, counted in the order of their logins; the other's end stays open and silent. */
  cutFor(client: number): void;
  /** Now the others learn of what {@link cutFor} did. */
  cutFar(): void;
  /** While true, new connections are refused. */
  refuses: boolean;
  /** Resolves when the next connection comes through. */
  nextWire(): Promise<unknown>;
}

/** To be called before the clients log in. */
export function peerCable(t: TestContext): PeerCable {
  const wires = new Set<Wire>();
  const silent: Socket[] = [];
  let clients = 0;
  let next = deferred<undefined>();
  const listen = PeerListener.listen.bind(PeerListener);
  t.mock.method(PeerListener, 'listen', async (options: Parameters<typeof listen>[0]) => {
    const owner = clients++;
    const inner = await listen(options);
    const { server, port } = await tcpServer(t, (dialler) => {
      if (cable.refuses) {
        dialler.resetAndDestroy();
        return;
      }
      const listener = net.connect({ port: inner.port, host: '127.0.0.1', noDelay: true });
      const wire = { owner, dialler, listener };
      wires.add(wire);
      listener.on('error', () => listener.destroy());
      dialler.pipe(listener).pipe(dialler);
      // One that was cut on one side only must not take the other along.
      dialler.on('close', () => wires.has(wire) && listener.destroy());
      listener.on('close', () => wires.has(wire) && dialler.destroy());
      next.resolve(undefined);
      next = deferred();
    });
    const close = async () => {
      server.close();
      await inner.close();
    };
    return { port, close };
  });
  t.after(() => {
    for (const { dialler, listener } of wires) for (const socket of [dialler, listener]) socket.destroy();
    cable.cutFar();
  });
  const cable: PeerCable = {
    refuses: false,
    nextWire: () => next.promise,
    cut: () => {
      for (const { dialler, listener } of wires) for (const socket of [dialler, listener]) socket.resetAndDestroy();
      wires.clear();
    },
    cutFor: (client) => {
      for (const wire of [...wires]) {
        const [near, far] = wire.owner === client ? [wire.listener, wire.dialler] : [wire.dialler, wire.listener];
        wires.delete(wire);
        near.unpipe(far);
        far.unpipe(near);
        // What the other end still sends is lost.
        far.resume();
        silent.push(far);
        near.resetAndDestroy();
      }
    },
    cutFar: () => {
      for (const socket of silent.splice(0)) socket.resetAndDestroy();
    },
  };
  return cable;
}
