/**
 * The engine for other programs: `import { connect } from 'p2p-chat'`. Everything a terminal user can do as promise methods,
 * everything that happens as one stream of events. Loads nothing of a terminal and keeps nothing outside the client it returns, so
 * that any number of clients live in one process.
 *
 * Owns the way from options to a client that is logged in. The methods are the engine's own (api.ts).
 */
import { readFile } from 'node:fs/promises';
import { P2pError } from '../protocol/errors.js';
import type { ClientApi } from './api.js';
import { createClient } from './engine.js';
import { EventStream, type StreamedEvent } from './event-stream.js';
import { engineOptions, type ConnectOptions } from './library-options.js';

export { P2pError } from '../protocol/errors.js';
export type { ErrorCode } from '../protocol/errors.js';
export { visibleLine } from '../protocol/text.js';
export type * from './api.js';
export type { EventsDropped, StreamedEvent } from './event-stream.js';
export type { ConnectOptions } from './library-options.js';
export type { AcceptPolicy, SessionPolicy } from './options.js';

/** What `connect` has done already, and what the stream of events stands for. */
type Done = 'onEvent' | 'connect' | 'checkName' | 'register' | 'login';
const DONE: ReadonlySet<string | symbol> = new Set<Done>(['onEvent', 'connect', 'checkName', 'register', 'login']);

/**
 * A client that is logged in. Methods reject with a {@link P2pError}; decide by its `code`.
 *
 * `for await (const event of client)` reads events in their order, `connected` and `logged-in` first, and ends after
 * `disconnected`. One loop reads at a time. At most 1,000 events wait unread: a peer who causes more than the loop can take is held back; where
 * that does not help, or no loop reads, the oldest are dropped, and an `events-dropped` event stands in their place. Names and texts
 * of others are as they came; {@link visibleLine} makes them safe for a terminal or a log.
 */
export interface Client extends Omit<ClientApi, Done>, AsyncIterable<StreamedEvent> {
  readonly user: string;
  /** As `close`: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects, and logs in or makes the account.
 *
 * @throws P2pError `bad-argument` for options that will not do; `cannot-connect`, `server-key-changed`, `intercepted`; `not-authenticated`,
 * `name-taken`, `bad-name`, `rate-limited`, `too-many-attempts`; `closed` when the signal aborts.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { user, password, new: isNew = false, signal } = options;
  const engine = createClient(engineOptions(options, await readVersion()));
  const events = new EventStream();
  const stop = () => void engine.close();
  try {
    if (signal?.aborted === true) throw new P2pError('closed', 'You have left.');
    signal?.addEventListener('abort', stop, { once: true });
    engine.onEvent((event) => {
      if (event.event === 'disconnected') signal?.removeEventListener('abort', stop);
      return events.push(event);
    });
    await engine.connect();
    await (isNew ? engine.register(user, password) : engine.login(user, password));
    return clientOf(engine, events);
  } catch (error) {
    signal?.removeEventListener('abort', stop);
    await engine.close();
    throw error;
  }
}

/** The engine's own methods and properties, whichever there are, with its events as a stream. */
function clientOf(engine: ClientApi, events: EventStream): Client {
  const own = { [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](), [Symbol.asyncDispose]: () => engine.close() };
  return new Proxy(engine, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key) as unknown;
      if (DONE.has(key)) return undefined;
      // The target itself is the receiver, as its private fields are its own.
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise)) return result;
        return events.during(async () => watched(await result, events));
      };
    },
    has: (target, key) => Object.hasOwn(own, key) || (!DONE.has(key) && Reflect.has(target, key)),
  }) as unknown as Client;
}

/** Of an outgoing transfer: whoever looks at its end waits for it, and the peer must be read meanwhile. */
function watched(result: unknown, events: EventStream): unknown {
  if (typeof result !== 'object' || result === null || !('finished' in result) || !(result.finished instanceof Promise)) return result;
  const { finished, ...rest } = result;
  let counted = false;
  return {
    ...rest,
    get finished() {
      if (!counted) void events.during(() => finished as Promise<unknown>);
      counted = true;
      return finished;
    },
  };
}

/** The version stands in package.json only. */
async function readVersion(): Promise<string> {
  const file: unknown = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown';
}
