/**
 * A server of its own for a test: in this process, in a directory that goes away, with accounts whose keys the test knows.
 */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalUserName } from '../../src/protocol/names.js';
import { generateIdentity, type Identity } from '../../src/security/identity.js';
import { passwordProofReady } from '../../src/security/password-proof.js';
import type { Backend, ServerSecrets } from '../../src/server/backend.js';
import { EmbeddedBackend } from '../../src/server/embedded-backend.js';
import { createLog } from '../../src/server/log.js';
import { parseServerOptions } from '../../src/server/options.js';
import { makeSecrets } from '../../src/server/secrets.js';
import { serve, type RunningServer, type ServerSurroundings } from '../../src/server/server.js';
import { Store } from '../../src/server/store.js';
import { RawServerClient, type RawClientOptions } from './raw-server-client.js';

let secrets: Promise<ServerSecrets> | undefined;

/** Made once a process: it takes half a second. */
export async function testSecrets(): Promise<ServerSecrets> {
  await passwordProofReady();
  return await (secrets ??= makeSecrets());
}

export interface TestServerOptions extends Partial<ServerSurroundings> {
  /** Accounts that exist from the start. They can be entered by `resume` only. */
  readonly accounts?: readonly string[];
  /** Used and kept instead of one that goes away. */
  readonly directory?: string;
  /** Puts something between the server and its backend. */
  readonly wrap?: (backend: Backend) => Backend;
}

export interface TestServer extends RunningServer {
  readonly directory: string;
  /** Lines of the log, JSON. */
  readonly logLines: string[];
  /** Resolves once `count` lines of the log match. */
  logged(pattern: RegExp, count?: number): Promise<void>;
  readonly identities: ReadonlyMap<string, Identity>;
  /** A client that has greeted. */
  open(options?: Partial<RawClientOptions>): Promise<RawServerClient>;
  /** A client that has entered as one of `accounts`. */
  enter(user: string, options?: Partial<RawClientOptions>): Promise<RawServerClient>;
  /** Stops the server and removes its directory. */
  dispose(): Promise<void>;
}

export async function startTestServer({ accounts = [], directory: kept, wrap = (backend) => backend, ...surroundings }: TestServerOptions = {}): Promise<TestServer> {
  const directory = kept ?? (await temporaryDirectory());
  const identities = await addAccounts(directory, accounts);
  const logLines: string[] = [];
  const lines = new EventEmitter().setMaxListeners(0);
  const write = (line: string) => {
    logLines.push(line);
    lines.emit('line');
  };
  const log = createLog({ level: 'info', form: 'json', write });
  const options = parseServerOptions({ port: '0', host: '127.0.0.1', data: directory }, '/nowhere');
  const backend = new EmbeddedBackend(await Store.open(directory, testSecrets));
  const server = await serve(wrap(backend), options, { log, agent: 'test', ...surroundings });
  const clients: RawServerClient[] = [];
  const open = async (given: Partial<RawClientOptions> = {}) => {
    const client = await RawServerClient.open({ port: server.port, ...given });
    clients.push(client);
    return client;
  };
  return {
    ...server,
    directory,
    logLines,
    async logged(pattern, count = 1) {
      while (logLines.filter((line) => pattern.test(line)).length < count) await once(lines, 'line');
    },
    identities,
    open,
    async enter(user, given) {
      const client = await open(given);
      const identity = identities.get(user);
      if (identity === undefined) throw new Error(`no account ${user}`);
      await client.resume(user, identity);
      return client;
    },
    async dispose() {
      await Promise.all(clients.map((client) => client.end()));
      await server.close();
      if (kept === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function temporaryDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'p2p-server-test-'));
}

async function addAccounts(directory: string, users: readonly string[]): Promise<Map<string, Identity>> {
  const { decoy } = await testSecrets();
  const store = await Store.open(directory, testSecrets);
  const identities = new Map<string, Identity>();
  const added = users.map((user) => {
    const identity = generateIdentity();
    identities.set(user, identity);
    return store.createAccount(canonicalUserName(user), { ...decoy, user, publicKey: identity.spki.toString('base64url') });
  });
  await Promise.all(added);
  await store.close();
  return identities;
}
