/**
 * A client of the server link made by hand: TLS, frames and messages, nothing that the real client would add or refuse to do.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { FrameDecoder, jsonFrame } from '../../src/protocol/frames.js';
import { encodeServerLinkMessage, parseServerMessage, type ClientMessage, type ServerMessage, type ServerMessageOf } from '../../src/protocol/server-messages.js';
import { SERVER_ALPN } from '../../src/protocol/version.js';
import { channelExporter, channelProof } from '../../src/security/channel.js';
import { generateIdentity, signChannel, type Identity } from '../../src/security/identity.js';
import { startLogin, startRegistration } from '../../src/security/password-proof.js';
import { openIdentity, sealIdentity } from '../../src/security/sealed-key.js';

export interface RawClientOptions {
  readonly port: number;
  readonly host?: string;
  /** Address to come from; on Linux any of 127.0.0.0/8. */
  readonly localAddress?: string;
  readonly tls?: ConnectionOptions;
}

export class RawServerClient {
  readonly socket: TLSSocket;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #decoder = new FrameDecoder({ maxJsonBytes: 1 << 20, allowData: false });
  readonly #messages: ServerMessage[] = [];
  readonly #waiting: { resolve: (message: ServerMessage) => void; reject: (error: Error) => void }[] = [];
  #id = 0;
  #gone = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    void this.closed.then(() => {
      this.#gone = true;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the server closed the connection'));
    });
  }

  /** Ends when the TLS handshake is done. */
  static async connect({ port, host = '127.0.0.1', localAddress, tls: extra }: RawClientOptions): Promise<RawServerClient> {
    const raw = net.connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) });
    const socket = tls.connect({ socket: raw, ALPNProtocols: [SERVER_ALPN], minVersion: 'TLSv1.3', rejectUnauthorized: false, ...extra });
    await once(socket, 'secureConnect');
    return new RawServerClient(socket);
  }

  /** Connected and greeted. */
  static async open(options: RawClientOptions): Promise<RawServerClient> {
    const client = await RawServerClient.connect(options);
    client.hello();
    await client.expect('hello');
    return client;
  }

  get exporter(): Buffer {
    return channelExporter(this.socket);
  }

  nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  hello(): void {
    this.send({ type: 'hello', versions: [1], features: [], agent: 'raw' });
  }

  send(message: ClientMessage): void {
    this.socket.write(encodeServerLinkMessage(message));
  }

  /** Any text as a JSON frame. */
  sendText(text: string): void {
    this.socket.write(jsonFrame(Buffer.from(text)));
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next message, whatever it is. Rejects when the connection ends first. */
  next(): Promise<ServerMessage> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#gone) return Promise.reject(new Error('the server closed the connection'));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** The next message, which must be of `type`; pings of the server are skipped. */
  async expect<TType extends ServerMessage['type']>(type: TType): Promise<ServerMessageOf<TType>> {
    for (;;) {
      const message = await this.next();
      if (message.type === type) return message as ServerMessageOf<TType>;
      if (message.type !== 'ping') throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    }
  }

  /** Messages that have come and were not taken. */
  get unread(): readonly ServerMessage[] {
    return this.#messages;
  }

  /** The whole registration of PROTOCOL.md 5.2. */
  async register(user: string, password: string, identity: Identity = generateIdentity()): Promise<Identity> {
    const registration = startRegistration(password);
    this.send({ type: 'register-start', id: this.nextId(), user, request: registration.request });
    const { response } = await this.expect('register-response');
    const { record, exportKey } = registration.finish(user, response);
    this.send({
      type: 'register-finish',
      id: this.nextId(),
      record,
      publicKey: identity.spki.toString('base64url'),
      sealedKey: sealIdentity(identity, exportKey, user),
      signature: signChannel(identity, 'register', user, this.exporter),
    });
    await this.expect('registered');
    return identity;
  }

  /** The whole login of PROTOCOL.md 5.3; undefined when the password does not fit the server's answer. */
  async login(user: string, password: string): Promise<{ welcome: ServerMessageOf<'welcome'>; identity: Identity } | undefined> {
    const login = startLogin(password);
    this.send({ type: 'login-start', id: this.nextId(), user, request: login.request });
    const { response } = await this.expect('login-response');
    const result = login.finish(user, response);
    if (result === undefined) return undefined;
    const { finish, sessionKey, exportKey } = result;
    this.send({ type: 'login-finish', id: this.nextId(), finish, proof: channelProof('client', sessionKey, this.exporter) });
    const welcome = await this.expect('welcome');
    if (welcome.proof !== channelProof('server', sessionKey, this.exporter)) throw new Error('the proof of the server is wrong');
    return { welcome, identity: openIdentity(welcome.sealedKey, exportKey, user, Buffer.from(welcome.publicKey, 'base64url')) };
  }

  /** PROTOCOL.md 5.4. */
  async resume(user: string, identity: Identity): Promise<ServerMessageOf<'welcome'>> {
    this.send({ type: 'resume', id: this.nextId(), user, signature: signChannel(identity, 'resume', user, this.exporter) });
    return await this.expect('welcome');
  }

  /** One round trip, so that everything sent before has been taken. */
  async roundTrip(): Promise<void> {
    this.send({ type: 'ping' });
    await this.expect('pong');
  }

  async end(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #onData(chunk: Buffer): void {
    this.#decoder.push(chunk);
    for (let event = this.#decoder.next(); event !== undefined; event = this.#decoder.next()) {
      if (event.kind !== 'json') throw new Error('a data frame from the server');
      const message = parseServerMessage(event.body);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#messages.push(message);
      else waiting.resolve(message);
    }
  }
}

/** A TCP connection without TLS; `gone` resolves to all that came when it has ended, however it ended. */
export async function connectPlain(port: number): Promise<{ socket: net.Socket; gone: Promise<Buffer> }> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => socket.destroy());
  const gone = new Promise<Buffer>((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks))));
  // A server that refuses may be quicker than the event of the connection.
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return { socket, gone };
}
