/**
 * A line between two programs that can be disturbed: cut, half-open, silent, slow, one byte at a time.
 *
 * Forwards TCP and knows nothing of what it carries. In a network of its own it runs through proxy-program.ts.
 */
import { once } from 'node:events';
import net, { type Server, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { deferred, type Deferred } from '../../src/net/deferred.js';

export interface ProxyRoute {
  readonly listen: number;
  readonly to: number;
  /** The local address from which it dials, by which a firewall can tell it from others. */
  readonly from: string;
}

/** A connection that came, and the one that was made for it. */
interface Pair {
  readonly accepted: Socket;
  readonly dialled: Socket;
  /** Nothing is forwarded any more, and nobody is told. */
  dead: boolean;
}

export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #route: ProxyRoute;
  #held: Deferred<undefined> | undefined;
  #delayMs = 0;
  #singly = false;
  #bytes = 0;

  private constructor(route: ProxyRoute) {
    this.#route = route;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (accepted) => this.#forward(accepted));
  }

  static async listen(route: ProxyRoute): Promise<Proxy> {
    const proxy = new Proxy(route);
    proxy.#server.listen(route.listen, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Forwarded in both directions. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Both ends of every connection get a reset. */
  reset(): void {
    for (const { accepted, dialled } of this.#pairs) {
      accepted.resetAndDestroy();
      dialled.resetAndDestroy();
    }
  }

  /** Of every connection one end gets a reset; the other hears nothing of it and nothing more at all. */
  halfOpen(lost: 'dialler' | 'listener'): void {
    for (const pair of this.#pairs) {
      pair.dead = true;
      (lost === 'dialler' ? pair.accepted : pair.dialled).resetAndDestroy();
    }
  }

  /** Nothing is forwarded until {@link release}; nothing is lost either. */
  hold(): void {
    this.#held ??= deferred<undefined>();
  }

  release(): void {
    this.#held?.resolve(undefined);
    this.#held = undefined;
  }

  /** Every byte in a packet of its own. */
  set singly(on: boolean) {
    this.#singly = on;
  }

  /** Every piece waits so long. */
  set delayMs(ms: number) {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    this.release();
    for (const { accepted, dialled } of this.#pairs) {
      accepted.destroy();
      dialled.destroy();
    }
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(accepted: Socket): void {
    const dialled = net.connect({ host: '127.0.0.1', port: this.#route.to, localAddress: this.#route.from, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { accepted, dialled, dead: false };
    this.#pairs.add(pair);
    for (const [socket, other] of [[accepted, dialled], [dialled, accepted]] as const) {
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#pairs.delete(pair);
        if (!pair.dead) other.destroy();
      });
      void this.#pump(pair, socket, other);
    }
  }

  async #pump(pair: Pair, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await this.#held?.promise;
        if (this.#delayMs > 0) await pause(this.#delayMs);
        for (const piece of this.#singly ? bytesOf(chunk) : [chunk]) {
          if (pair.dead || to.destroyed) break;
          if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
          this.#bytes += piece.length;
          if (this.#singly) await turn();
        }
      }
      if (!pair.dead) to.end();
    } catch {
      // A connection that was cut; its close handler cuts the other.
    }
  }
}

function* bytesOf(chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += 1) yield chunk.subarray(at, at + 1);
}
