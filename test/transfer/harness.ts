/**
 * Two transfer managers with real disks on an in-memory link that can be cut and re-made, or one whose peer is played by the test.
 *
 * The link keeps order, delivers later than it is asked to, passes every message through its wire form, and cuts data into
 * pieces as TLS would.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock, type Clock } from '../../src/net/clock.js';
import { LinkLost, RemoteViolation } from '../../src/protocol/errors.js';
import { FrameDecoder, type FrameEvent } from '../../src/protocol/frames.js';
import { frameLimits } from '../../src/protocol/limits.js';
import { encodePeerMessage, parsePeerMessage, type TransferMessage } from '../../src/protocol/peer-messages.js';
import { BlockPools } from '../../src/transfer/buffer-pool.js';
import type { TransferEvent } from '../../src/transfer/events.js';
import { TransferManager, type OfferPolicy, type TransferPort } from '../../src/transfer/manager.js';
import { RateLimiter } from '../../src/transfer/rate-limit.js';
import { ReceiveStore } from '../../src/transfer/store/receive-store.js';
import { SourceThread } from '../../src/transfer/source/source-thread.js';
import type { OpenSource } from '../../src/transfer/source/source.js';
import type { Store } from '../../src/transfer/store/store.js';
import { WindowBudget } from '../../src/transfer/window-budget.js';

export type EventOf<TEvent extends TransferEvent['event']> = Extract<TransferEvent, { event: TEvent }>;
export type MessageOf<TType extends TransferMessage['type']> = Extract<TransferMessage, { type: TType }>;

/** A list that can be waited on. */
export class Log<T> {
  readonly all: T[] = [];
  #waiting: { test: (item: T) => boolean; resolve: (item: T) => void }[] = [];

  add(item: T): void {
    this.all.push(item);
    const hits = this.#waiting.filter((one) => one.test(item));
    this.#waiting = this.#waiting.filter((one) => !hits.includes(one));
    for (const hit of hits) hit.resolve(item);
  }

  /** The first item, past or to come, that passes. */
  first(test: (item: T) => boolean): Promise<T> {
    const found = this.all.find(test);
    if (found !== undefined) return Promise.resolve(found);
    return this.next(test);
  }

  /** The first item to come that passes. */
  next(test: (item: T) => boolean): Promise<T> {
    return new Promise((resolve) => this.#waiting.push({ test, resolve }));
  }
}

export interface SideOptions {
  readonly policy?: Partial<OfferPolicy>;
  readonly clock?: Clock;
  readonly limiter?: RateLimiter;
  readonly windows?: WindowBudget;
  /** Replaces the disk that is read. */
  readonly openSource?: OpenSource;
  /** Stands between the manager and the disk that is written. */
  readonly store?: (real: ReceiveStore) => Store;
  /** A folder of an earlier side, to go on with. */
  readonly root?: string;
}

/** A manager with a folder of its own and everything that it said. */
export class Side {
  readonly root: string;
  readonly events = new Log<TransferEvent>();
  readonly sent = new Log<TransferMessage>();
  readonly limiter: RateLimiter;
  readonly store: ReceiveStore;
  readonly sources: SourceThread;
  readonly manager: TransferManager;

  private constructor(root: string, peer: string, options: SideOptions, ids: () => number) {
    this.root = root;
    const clock = options.clock ?? systemClock;
    this.limiter = options.limiter ?? new RateLimiter(clock);
    this.store = new ReceiveStore({ received: this.received, partial: join(root, 'home', 'partial') });
    this.sources = new SourceThread();
    this.manager = new TransferManager({
      peer,
      fingerprint: `SHA256:${peer.padEnd(43, 'x')}`,
      store: options.store?.(this.store) ?? this.store,
      openSource: options.openSource ?? this.sources.open,
      limiter: this.limiter,
      windows: options.windows ?? new WindowBudget(),
      blocks: new BlockPools(),
      nextId: ids,
      policy: { accept: 'all', acceptFrom: undefined, maxFile: undefined, otherwise: 'none', ...options.policy },
      clock,
      emit: (event) => this.events.add(event),
    });
  }

  /** Closed, and its folder removed, after the test. */
  static async make(t: TestContext, peer: string, options: SideOptions = {}): Promise<Side> {
    const root = options.root ?? (await mkdtemp(join(tmpdir(), 'p2p-transfer-')));
    let id = 0;
    const side = new Side(root, peer, options, () => ++id);
    // Sockets keep the program alive, which there are none of here; clocks and threads do not.
    const alive = setInterval(() => undefined, 60_000);
    t.after(async () => {
      clearInterval(alive);
      await side.close();
      await rm(root, { recursive: true, force: true });
    });
    return side;
  }

  get received(): string {
    return join(this.root, 'home', 'received');
  }

  async close(): Promise<void> {
    await this.manager.close('session-closed', 'The test is over.');
    await this.store.close();
    await this.sources.close();
  }

  event<TEvent extends TransferEvent['event']>(event: TEvent, test: (event: EventOf<TEvent>) => boolean = () => true): Promise<EventOf<TEvent>> {
    return this.events.first((one) => one.event === event && test(one as EventOf<TEvent>)) as Promise<EventOf<TEvent>>;
  }

  message<TType extends TransferMessage['type']>(type: TType, test: (message: MessageOf<TType>) => boolean = () => true): Promise<MessageOf<TType>> {
    return this.sent.first((one) => one.type === type && test(one as MessageOf<TType>)) as Promise<MessageOf<TType>>;
  }

  /** A file to send, in the folder of this side; folders on the way are made. */
  async file(name: string, content: Uint8Array | string, modifiedMs?: number): Promise<string> {
    const path = join(this.root, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    if (modifiedMs !== undefined) await utimes(path, modifiedMs / 1000, modifiedMs / 1000);
    return path;
  }

  read(name: string): Promise<Buffer> {
    return readFile(join(this.received, name));
  }

  /** Names in the folder of finished files, sorted; and of those of partials. */
  async folders(): Promise<{ received: string[]; partial: string[] }> {
    return { received: await names(this.received), partial: await names(join(this.root, 'home', 'partial')) };
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return [];
  }
}

/** Decodes frames, fed in chunks of the lengths in `cuts` (repeated; none: all at once). */
export function decoded(stream: Uint8Array, cuts: readonly number[] = []): FrameEvent[] {
  const decoder = new FrameDecoder({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
  const found: FrameEvent[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const chunk = stream.subarray(at, at + (cuts[turn % Math.max(1, cuts.length)] ?? stream.length));
    decoder.push(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) found.push(event);
    at += chunk.length;
  }
  return found;
}

/** One direction of a link. */
class Courier implements TransferPort {
  readonly #from: Side;
  readonly #to: Side;
  readonly #wire: Wire;
  #last: Promise<void> = Promise.resolve();

  constructor(from: Side, to: Side, wire: Wire) {
    this.#from = from;
    this.#to = to;
    this.#wire = wire;
  }

  send(message: TransferMessage): void {
    this.#from.sent.add(message);
    const body = encodePeerMessage(message).subarray(5);
    this.#deliver(() => this.#to.manager.handleMessage(parsePeerMessage(body) as TransferMessage));
  }

  readMuch(): void {
    // There is no better wire.
  }

  sendData(frames: Buffer): Promise<void> {
    const events = decoded(Buffer.from(frames), this.#wire.cuts);
    return new Promise((resolve, reject) => {
      this.#deliver(() => {
        for (const event of events) this.#hand(event);
        resolve();
      }, () => reject(new LinkLost('link-lost', 'cut')));
    });
  }

  #hand(event: FrameEvent): void {
    if (!this.#wire.up || event.kind === 'json') return;
    const { manager } = this.#to;
    if (event.kind === 'end') manager.handleEntryEnd(event.transfer, event.entry, event.status, event.blake3);
    else manager.handleData(event.transfer, event.entry, event.offset, event.bytes, event.first);
    this.#wire.carried(event.kind === 'data' ? event.bytes.length : 0);
  }

  #deliver(hand: () => void, lost: () => void = () => undefined): void {
    this.#last = this.#last.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#wire.up) {
        lost();
        return;
      }
      try {
        hand();
      } catch (error) {
        if (!(error instanceof RemoteViolation)) throw error;
        this.#wire.violations.add(error);
      }
    });
  }
}

/** A link between two sides. */
export class Wire {
  readonly violations = new Log<RemoteViolation>();
  readonly cuts: readonly number[];
  up = true;
  /** Bytes of file carried so far, in both directions. */
  bytes = 0;
  readonly #ends: readonly [Side, Side];
  #cutAt = Number.POSITIVE_INFINITY;
  #cut: (() => void) | undefined;

  /** @param how As both managers are told; undefined leaves that to the test. */
  constructor(ends: readonly [Side, Side], how: 'first' | 'continued' | undefined, cuts: readonly number[] = [16_384]) {
    this.#ends = ends;
    this.cuts = cuts;
    if (how === undefined) return;
    this.attach(how, how);
  }

  attach(first: 'first' | 'continued' | 'restarted', second: 'first' | 'continued' | 'restarted'): void {
    const [a, b] = this.#ends;
    a.manager.attach(new Courier(a, b, this), first);
    b.manager.attach(new Courier(b, a, this), second);
  }

  /** What is on its way is gone; both managers are told. */
  cut(): void {
    if (!this.up) return;
    this.up = false;
    for (const side of this.#ends) side.manager.detach();
  }

  /** Resolves when it has been cut, behind this many bytes of file. */
  cutAfter(bytes: number): Promise<void> {
    this.#cutAt = bytes;
    return new Promise((resolve) => (this.#cut = resolve));
  }

  carried(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < this.#cutAt) return;
    this.#cutAt = Number.POSITIVE_INFINITY;
    this.cut();
    this.#cut?.();
  }
}

export interface Pair {
  readonly alice: Side;
  readonly bob: Side;
  readonly wire: Wire;
}

/** Alice and bob, linked. `cuts` are the lengths of the chunks in which data arrives. */
export async function linkedPair(t: TestContext, options: { alice?: SideOptions; bob?: SideOptions; cuts?: readonly number[] } = {}): Promise<Pair> {
  const alice = await Side.make(t, 'bob', options.alice);
  const bob = await Side.make(t, 'alice', options.bob);
  return { alice, bob, wire: new Wire([alice, bob], 'first', options.cuts) };
}

/** A port that keeps what it is given; data is taken at once, unless `hold`. */
export class OpenPort implements TransferPort {
  readonly sent = new Log<TransferMessage>();
  readonly frames = new Log<FrameEvent>();
  hold = false;
  #held: (() => void)[] = [];

  send(message: TransferMessage): void {
    this.sent.add(message);
  }

  readMuch(): void {
    // Nobody moves it.
  }

  sendData(frames: Buffer): Promise<void> {
    for (const event of decoded(Buffer.from(frames))) this.frames.add(event);
    if (!this.hold) return Promise.resolve();
    return new Promise((resolve) => this.#held.push(resolve));
  }

  release(): void {
    this.hold = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }

  message<TType extends TransferMessage['type']>(type: TType, test: (message: MessageOf<TType>) => boolean = () => true): Promise<MessageOf<TType>> {
    return this.sent.first((one) => one.type === type && test(one as MessageOf<TType>)) as Promise<MessageOf<TType>>;
  }
}

/** One whose peer is the test. */
export async function loneSide(t: TestContext, options: SideOptions = {}): Promise<{ side: Side; port: OpenPort }> {
  const side = await Side.make(t, 'mallory', options);
  const port = new OpenPort();
  side.manager.attach(port, 'first');
  return { side, port };
}

/** Bytes in which a shift or a swap shows. */
export function patterned(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
