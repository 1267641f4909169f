/**
 * The server: listens, admits, shakes hands, and hands each client to a {@link ServerLink}; ends all of it in order.
 *
 * Owns the listener and the set of links of this node. Accounts, presence and routing are behind backend.ts.
 */
import { setMaxListeners } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { errorText, LinkLost, P2pError, systemCode } from '../protocol/errors.js';
import { serverLimits } from '../protocol/limits.js';
import { SERVER_ALPN } from '../protocol/version.js';
import { systemClock, type Clock } from '../net/clock.js';
import { acceptTls, tlsContext } from '../net/tls.js';
import { passwordProofReady } from '../security/password-proof.js';
import { addressKey, Admission, DEFAULT_ADMISSION, type AdmissionRules, type AdmissionTicket } from './admission.js';
import type { Backend } from './backend.js';
import { EmbeddedBackend } from './embedded-backend.js';
import { Introductions } from './introductions.js';
import type { Log } from './log.js';
import { MisuseLog } from './misuse-log.js';
import type { ServerOptions } from './options.js';
import { Rates } from './rates.js';
import { makeSecrets, openSecrets } from './secrets.js';
import { ServerLink, type LinkServices } from './server-link.js';
import { Store } from './store.js';
import { Turns } from './turns.js';
import { Watches } from './watches.js';

export interface RunningServer {
  /** As bound: `::` is every address of the machine. */
  readonly address: string;
  readonly port: number;
  readonly fingerprint: string;
  /** Tells the clients, ends their links, closes the store. Idempotent. */
  close(): Promise<void>;
}

type ListenOptions = Pick<ServerOptions, 'host' | 'port'>;

/** What a server is given besides its options. */
export interface ServerSurroundings {
  readonly log: Log;
  /** Program and version, as hello tells it. */
  readonly agent: string;
  readonly clock?: Clock;
  readonly admission?: AdmissionRules;
}

/**
 * A server over the embedded backend.
 *
 * @throws P2pError `bad-data-directory`, `store-damaged`, `port-in-use`, `cannot-connect` (the address is not of this machine, or not
 * allowed); the message is one line that says what to do.
 */
export async function startServer(options: ServerOptions, surroundings: ServerSurroundings): Promise<RunningServer> {
  await passwordProofReady();
  return await serve(new EmbeddedBackend(await Store.open(options.dataDirectory, makeSecrets)), options, surroundings);
}

/** A server over any backend, which it takes over and closes, also when it cannot start. */
export async function serve(backend: Backend, options: ListenOptions, surroundings: ServerSurroundings): Promise<RunningServer> {
  try {
    const { identity, credentials } = openSecrets(backend.secrets);
    const node = new ServerNode(backend, tlsContext(credentials), surroundings);
    const listener = await listen(options, (socket) => node.accept(socket));
    // Accepting may fail for a while, for example when there are no descriptors left; that ends no link and no program.
    listener.on('error', (error) => surroundings.log.error({ reason: error.message }, 'cannot accept connections'));
    const { address, port } = listener.address() as AddressInfo;
    let closed: Promise<void> | undefined;
    return {
      address,
      port,
      fingerprint: identity.fingerprint,
      close: () => (closed ??= closeAll(listener, node, backend)),
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function closeAll(listener: Server, node: ServerNode, backend: Backend): Promise<void> {
  const unbound = new Promise((resolve) => listener.close(resolve));
  await node.close();
  await unbound;
  await backend.close();
}

/** Binds; without a host every address of the machine, where there is no IPv6 every IPv4 address. */
async function listen({ host, port }: ListenOptions, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await bind(host ?? '::', port, onConnection);
  } catch (error) {
    const code = systemCode(error);
    if (host === undefined && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) return await bind('0.0.0.0', port, onConnection);
    throw error;
  }
}

function bind(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const listener = net.createServer({ noDelay: true, keepAlive: true }, onConnection);
    const onError = (cause: Error) => reject(bindError(cause, host, port));
    listener.once('error', onError);
    listener.listen({ host, port }, () => {
      listener.off('error', onError);
      resolve(listener);
    });
  });
}

/** System errors that mean "no IPv6 here" pass through, since {@link listen} has an answer to them. */
function bindError(cause: Error, host: string, port: number): Error {
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new P2pError('port-in-use', `Port ${port} is in use. Stop the program that has it, or choose another with --port.`, { cause });
    case 'EACCES':
      return new P2pError('cannot-connect', `This user may not listen at port ${port}. Choose one from 1024 up with --port.`, { cause });
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return host === '::' ? cause : new P2pError('cannot-connect', `${host} is not an address of this machine. Choose another with --host.`, { cause });
    default:
      return new P2pError('cannot-connect', `Cannot listen at port ${port}: ${errorText(cause)}.`, { cause });
  }
}

/** The links of this process and the way to them. */
class ServerNode {
  readonly #context: SecureContext;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #isExempt: (address: string) => boolean;
  readonly #registrations = new Rates({ points: serverLimits.registrationsPerAddressPerHour, seconds: 3600 });
  readonly #services: LinkServices;
  readonly #misuse: MisuseLog;
  readonly #links = new Map<string, ServerLink>();
  readonly #ending = new AbortController();

  constructor(backend: Backend, context: SecureContext, { log, agent, clock = systemClock, admission = DEFAULT_ADMISSION }: ServerSurroundings) {
    this.#context = context;
    this.#clock = clock;
    this.#admission = new Admission(admission);
    this.#isExempt = admission.isExempt;
    this.#misuse = new MisuseLog(log, clock);
    const watches = new Watches({ backend, clock });
    this.#services = {
      backend,
      clock,
      log,
      agent,
      turns: new Turns(),
      introductions: new Introductions({ backend, clock, rates: new Rates({ points: serverLimits.introductionsPerMinute, seconds: 60 }) }),
      watches,
      loginFailures: new Rates({ points: serverLimits.loginFailuresPerAccount, seconds: serverLimits.loginFailuresWindowSeconds }),
    };
    // Each handshake under way listens to it; their number is bounded by admission.
    setMaxListeners(0, this.#ending.signal);
    backend.receive((link, message) => this.#links.get(link)?.routed(message));
    backend.onPresence((change) => watches.changed(change));
  }

  accept(socket: Socket): void {
    // Until the handshake has its own listener; a socket that breaks before says so by its end.
    socket.on('error', () => socket.destroy());
    void this.#serve(socket, socket.remoteAddress ?? '');
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all([...this.#links.values()].map((link) => link.close('shutting-down', 'The server is shutting down.')));
  }

  /** A rejection is a bug and ends the program. */
  async #serve(socket: Socket, address: string): Promise<void> {
    const ticket = await this.#admission.admit(address);
    if (typeof ticket === 'string') {
      this.#misuse.write(ticket, address);
      socket.resetAndDestroy();
      return;
    }
    try {
      const { signal } = this.#ending;
      const secure = await acceptTls(socket, { context: this.#context, alpn: SERVER_ALPN, clock: this.#clock, signal });
      if (secure.destroyed) throw new LinkLost('link-lost', 'The other side closed the connection after the TLS handshake.');
      const link = new ServerLink({
        socket: secure,
        services: this.#services,
        registrationQuota: this.#isExempt(address) ? undefined : { rates: this.#registrations, key: addressKey(address) },
        onReady: () => ticket.authenticated(),
        onEnd: (reason) => this.#forget(link, ticket, reason),
      });
      this.#links.set(link.id, link);
    } catch (error) {
      ticket.release();
      if (!(error instanceof P2pError)) throw error;
      if (!this.#ending.signal.aborted) this.#misuse.write(error.message, address);
    }
  }

  #forget(link: ServerLink, ticket: AdmissionTicket, reason: P2pError | undefined): void {
    this.#links.delete(link.id);
    ticket.release();
    if (link.user === undefined && reason !== undefined) this.#misuse.write(reason.message, link.seen.address);
  }
}
