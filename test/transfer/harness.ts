/**
 * Two transfer managers on an in-memory link with real files, or one whose peer is played by the test.
 *
 * The link keeps order, delivers later than it is asked to, and cuts data into pieces as TLS would.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/net/clock.js';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { FrameDecoder } from '../../src/protocol/frames.js';
import { frameLimits } from '../../src/protocol/limits.js';
import type { TransferMessage } from '../../src/protocol/peer-messages.js';
import type { TransferEvent } from '../../src/transfer/events.js';
import type { PartialSource } from '../../src/transfer/incoming.js';
import { TransferManager, type OfferPolicy, type TransferPort } from '../../src/transfer/manager.js';
import { ReceiveStore } from '../../src/transfer/receive-store.js';
import type { OpenSource } from '../../src/transfer/source-file.js';

export type EventOf<TEvent extends TransferEvent['event']> = Extract<TransferEvent, { event: TEvent }>;
export type MessageOf<TType extends TransferMessage['type']> = Extract<TransferMessage, { type: TType }>;

/** A list that can be waited on. */
export class Log<T> {
  readonly all: T[] = [];
  #waiting: { test: (item: T) => boolean; resolve: (item: T) => void }[] = [];

  add(item: T): void {
    this.all.push(item);
    const [hit, rest] = [this.#waiting.filter((one) => one.test(item)), this.#waiting.filter((one) => !one.test(item))];
    this.#waiting = rest;
    for (const one of hit) one.resolve(item);
  }

  /** The first item, past or to come, that passes. */
  first(test: (item: T) => boolean): Promise<T> {
    const found = this.all.find(test);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push({ test, resolve }));
  }
}

export interface SideOptions {
  readonly policy?: OfferPolicy;
  readonly store?: (real: ReceiveStore) => PartialSource;
  readonly link?: (existing: string, name: string) => Promise<void>;
  readonly openSource?: OpenSource;
  readonly clock?: Clock;
}

/** A manager with a folder of its own and everything that it said. */
export class Side implements TransferPort {
  readonly root: string;
  readonly events = new Log<TransferEvent>();
  readonly sent = new Log<TransferMessage>();
  /** Data pieces that left, as offset and length. */
  readonly data = new Log<{ transfer: number; offset: number; bytes: number }>();
  readonly store: ReceiveStore;
  readonly manager: TransferManager;
  /** Where its frames go; the default keeps data until {@link release}. */
  deliver: (item: TransferMessage | Buffer) => Promise<void> = (item) => (Buffer.isBuffer(item) ? this.#held() : Promise.resolve());
  #releases: (() => void)[] = [];
  #nextId = 1;

  constructor(root: string, peer: string, options: SideOptions) {
    this.root = root;
    const link = options.link === undefined ? {} : { link: options.link };
    this.store = new ReceiveStore({ received: this.received, partial: this.partial, ...link });
    this.manager = new TransferManager({
      peer,
      port: this,
      store: options.store?.(this.store) ?? this.store,
      policy: options.policy ?? 'all',
      nextId: () => this.#nextId++,
      emit: (event) => this.events.add(event),
      clock: options.clock ?? systemClock,
      ...(options.openSource === undefined ? {} : { openSource: options.openSource }),
    });
  }

  get received(): string {
    return join(this.root, 'home', 'received');
  }

  get partial(): string {
    return join(this.root, 'home', 'partial');
  }

  send(message: TransferMessage): void {
    this.sent.add(message);
    void this.deliver(message);
  }

  async sendData(frames: Buffer): Promise<void> {
    for (const piece of pieces(frames, [])) this.data.add({ transfer: piece.transfer, offset: piece.offset, bytes: piece.bytes.length });
    await this.deliver(frames);
  }

  /** Lets the link take the data that it holds. */
  release(): void {
    for (const resolve of this.#releases.splice(0)) resolve();
  }

  event<TEvent extends TransferEvent['event']>(event: TEvent, id?: number): Promise<EventOf<TEvent>> {
    return this.events.first((one) => one.event === event && (id === undefined || one.id === id)) as Promise<EventOf<TEvent>>;
  }

  message<TType extends TransferMessage['type']>(type: TType, transfer?: number): Promise<MessageOf<TType>> {
    return this.sent.first((one) => one.type === type && (transfer === undefined || one.transfer === transfer)) as Promise<MessageOf<TType>>;
  }

  /** A file to send. */
  async file(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.root, name);
    await writeFile(path, content);
    return path;
  }

  /** Names of finished files and of partials. */
  async folders(): Promise<{ received: string[]; partial: string[] }> {
    return { received: await names(this.received), partial: await names(this.partial) };
  }

  read(name: string): Promise<Buffer> {
    return readFile(join(this.received, name));
  }

  #held(): Promise<void> {
    return new Promise((resolve) => this.#releases.push(resolve));
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return [];
  }
}

export interface Piece {
  readonly transfer: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Decodes data frames out of `stream`, fed in chunks of the lengths in `cuts` (repeated; none: all at once). */
export function pieces(stream: Uint8Array, cuts: readonly number[]): Piece[] {
  const decoder = new FrameDecoder({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
  const found: Piece[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const chunk = stream.subarray(at, at + (cuts[turn % Math.max(1, cuts.length)] ?? stream.length));
    decoder.push(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) if (event.kind === 'data') found.push(event);
    at += chunk.length;
  }
  return found;
}

export class Folders {
  readonly #made: string[] = [];

  async make(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'p2p-transfer-'));
    this.#made.push(path);
    return path;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
  }
}

export interface Pair {
  readonly alice: Side;
  readonly bob: Side;
  /** Rules broken, as either manager found. */
  readonly violations: Log<RemoteViolation>;
}

/** Alice and bob, linked. `cuts` are the lengths of the chunks in which data arrives. */
export async function linkedPair(folders: Folders, options: { alice?: SideOptions; bob?: SideOptions; cuts?: readonly number[] } = {}): Promise<Pair> {
  const alice = new Side(await folders.make(), 'bob', options.alice ?? {});
  const bob = new Side(await folders.make(), 'alice', options.bob ?? {});
  const violations = new Log<RemoteViolation>();
  alice.deliver = courier(bob.manager, violations, options.cuts ?? [16_384]);
  bob.deliver = courier(alice.manager, violations, options.cuts ?? [16_384]);
  return { alice, bob, violations };
}

/** One whose peer is the test. */
export async function loneSide(folders: Folders, options: SideOptions = {}): Promise<Side> {
  return new Side(await folders.make(), 'mallory', options);
}

function courier(to: TransferManager, violations: Log<RemoteViolation>, cuts: readonly number[]): Side['deliver'] {
  let last: Promise<void> = Promise.resolve();
  return (item) => {
    last = last.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      try {
        if (!Buffer.isBuffer(item)) to.handleMessage(item);
        else for (const piece of pieces(item, cuts)) to.handleData(piece.transfer, piece.offset, piece.bytes);
      } catch (error) {
        if (!(error instanceof RemoteViolation)) throw error;
        violations.add(error);
      }
    });
    return last;
  };
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
