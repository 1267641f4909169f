/**
 * What most tests of real programs begin with: a server, alice who sends, bob who takes everything, and a session between them.
 *
 * Everything lies in one folder that goes away. Either person may be killed and come back with the same home.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { JsonClient, startServer, type JsonEvent, type RealServer } from './json-client.js';
import { outputFault } from './json-schema.js';
import { thisHost, type Host } from './processes.js';

export type Person = 'alice' | 'bob';

export interface SceneOptions {
  /** Where all programs run. */
  readonly host?: Host;
  /** Further arguments of each client. */
  readonly options?: Partial<Record<Person, readonly string[]>>;
  /** Where a home shall lie; seen from where the programs run. */
  readonly homes?: Partial<Record<Person, string>>;
}

export class Scene {
  readonly folder: string;
  readonly #options: SceneOptions;
  readonly #people = new Map<Person, JsonClient>();
  #server: RealServer;

  private constructor(folder: string, server: RealServer, options: SceneOptions) {
    this.folder = folder;
    this.#server = server;
    this.#options = options;
  }

  /** A session is open. Ends after the test. */
  static async open(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'p2p-scene-'));
    const server = await startServer(join(folder, 'server'), 0, options.host);
    const scene = new Scene(folder, server, options);
    t.after(async () => {
      await scene.#close();
      await rm(folder, { recursive: true, force: true });
    });
    for (const person of ['alice', 'bob'] as const) await scene.start(person, true);
    await scene.meet();
    return scene;
  }

  get alice(): JsonClient {
    return this.#present('alice');
  }

  get bob(): JsonClient {
    return this.#present('bob');
  }

  home(person: Person): string {
    return this.#options.homes?.[person] ?? join(this.folder, person);
  }

  /** A path of something that bob received. */
  received(...names: string[]): string {
    return join(this.home('bob'), 'received', ...names);
  }

  get partials(): string {
    return join(this.home('bob'), 'partial');
  }

  /** alice opens a session, or the one that was there comes back. */
  async meet(): Promise<void> {
    const there = this.bob.nextOf(['session-opened', 'session-back'], () => true, 20_000);
    await Promise.all([there, this.alice.command('GET_CLIENT_INFO bob')]);
  }

  /**
   * Resolves when the other person's session is back: to be called before this one is started again, as it may come by itself
   * before anybody asks.
   */
  async back(person: Person): Promise<JsonEvent> {
    const other = person === 'alice' ? this.bob : this.alice;
    return await other.nextOf(['session-opened', 'session-back'], () => true, 60_000);
  }

  async start(person: Person, isNew = false): Promise<JsonClient> {
    const { host = thisHost, options } = this.#options;
    const client = await JsonClient.start({
      port: this.#server.port,
      user: person,
      password: `password of ${person}`,
      home: this.home(person),
      isNew,
      host,
      options: options?.[person] ?? [],
      faultOf: outputFault,
    });
    this.#people.set(person, client);
    return client;
  }

  /** kill -9; resolves when the program has ended. */
  async kill(person: Person): Promise<void> {
    const client = this.#present(person);
    process.kill(client.pid, 'SIGKILL');
    this.#people.delete(person);
    await client.close();
  }

  /** The server crashes, and another takes its place. */
  async restartServer(): Promise<void> {
    const { port } = this.#server;
    this.#server.kill();
    await this.#server.close();
    this.#server = await startServer(join(this.folder, 'server'), port, this.#options.host);
  }

  /** alice sends; resolves with the ends on both sides. @throws Error when one of them fails. */
  async send(path: string, name: string): Promise<{ readonly sent: JsonEvent; readonly taken: JsonEvent }> {
    const ends = [ended(this.alice, name), ended(this.bob, name)] as const;
    await this.alice.command(`SEND_FILE "${path}"`);
    const [sent, taken] = await Promise.all(ends);
    return { sent, taken };
  }

  /** A message each way arrives. */
  async chat(): Promise<void> {
    const heard = (client: JsonClient): Promise<JsonEvent> => client.next('message', (event) => event['direction'] === 'in', 20_000);
    const both = [heard(this.alice), heard(this.bob)];
    await Promise.all([this.alice.say('are you there?', 'bob'), this.bob.say('yes', 'alice')]);
    await Promise.all(both);
  }

  #present(person: Person): JsonClient {
    const client = this.#people.get(person);
    if (client === undefined) throw new Error(`${person} is not there`);
    return client;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#people.values()].map((client) => client.close()));
    await this.#server.close();
  }
}

/** The event with which the transfer of that name ends well. @throws Error when it fails, or does not end within `timeoutMs`. */
export async function ended(client: JsonClient, name: string, timeoutMs = 60_000): Promise<JsonEvent> {
  const end = await client.nextOf(['transfer-done', 'transfer-failed'], (event) => event['name'] === name, timeoutMs);
  if (end.event === 'transfer-failed') throw new Error(`${client.user}: "${name}" failed with ${String(end['code'])}: ${String(end['message'])}`);
  return end;
}
