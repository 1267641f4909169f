/**
 * A received folder and a sender to it, without threads or links: what is sent is a map of paths, and each call to the disk
 * can be made to fail.
 */
import { blake3 } from '@napi-rs/blake-hash';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntryStatus } from '../../../src/protocol/frames.js';
import type { Entry, Have } from '../../../src/protocol/peer-messages.js';
import { RECEIVE_BLOCK_BYTES, RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { systemDisk, type Disk } from '../../../src/transfer/store/disk.js';
import { TransferFailure } from '../../../src/transfer/failure.js';
import type { IncomingPlace } from '../../../src/transfer/store/incoming-place.js';
import { inOneGo } from '../../../src/transfer/store/steps.js';
import { StoreDisk } from '../../../src/transfer/store/store-disk.js';
import type { Stored, Wanted } from '../../../src/transfer/store/store.js';

/** What is sent: paths with `/` between names; a string is a file, null a folder. */
export type Tree = Readonly<Record<string, string | Buffer | null>>;

export const MODIFIED = 1_600_000_000_123;

export function wantedOf(kind: 'file' | 'folder', name: string, size: number | null = 0): Wanted {
  return { fingerprint: 'SHA256:alice', peer: 'alice', kind, name, size, modified: MODIFIED };
}

export function hashOf(bytes: string | Buffer): string {
  return blake3(bytes).toString('hex');
}

/** The list of a tree: each folder, then its files, parents first. */
export function entriesOf(tree: Tree): { entries: Entry[]; contents: Map<number, Buffer> } {
  const entries: Entry[] = [];
  const contents = new Map<number, Buffer>();
  const folders = new Map<string, [string, Buffer][]>([['', []]]);
  for (const [path, content] of Object.entries(tree)) {
    const names = path.split('/');
    const depth = content === null ? names.length : names.length - 1;
    for (let n = 1; n <= depth; n += 1) {
      const folder = names.slice(0, n).join('/');
      if (!folders.has(folder)) folders.set(folder, []);
    }
    if (content !== null) folders.get(names.slice(0, -1).join('/'))!.push([names.at(-1)!, Buffer.from(content)]);
  }
  for (const [folder, files] of folders) {
    if (folder !== '') entries.push({ folder: folder.split('/'), modified: MODIFIED + 1000 });
    for (const [name, bytes] of files) {
      contents.set(entries.length, bytes);
      entries.push({ name, size: bytes.length, modified: MODIFIED });
    }
  }
  return { entries, contents };
}

/** How a sender goes about it. */
export interface SendOptions {
  /** Ends the sending after so many file bytes have come to the disk, as a broken link would. */
  readonly stopAfter?: number;
  /** File bytes in a data record. */
  readonly pieceBytes?: number;
  /** Called when the disk is full; must make room, or throw. */
  readonly onFull?: () => void;
  /** Entries that the sender cannot read. */
  readonly unreadable?: ReadonlySet<string>;
}

/** What came of {@link send}: bytes of file sent, and points that were used. */
export interface Sent {
  bytes: number;
  complete: boolean;
}

/** Sends a list and its files to a place, over a new link; what is there is not sent. */
export function send(place: IncomingPlace, entries: readonly Entry[], contents: ReadonlyMap<number, Buffer>, options: SendOptions = {}): Sent {
  const again = <T>(call: () => T): T => {
    for (;;) {
      try {
        return call();
      } catch (error) {
        if (!(error instanceof TransferFailure) || error.code !== 'disk-full' || options.onFull === undefined) throw error;
        options.onFull();
      }
    }
  };
  place.start();
  const have = new Map<number, Have['points']>();
  const skip = new Set<number>();
  for (let first = 0; first < entries.length || first === 0; first += 512) {
    const part = entries.slice(first, first + 512);
    const plans = again(() => inOneGo(place.plan({ first, entries: part, last: first + 512 >= entries.length })));
    for (const plan of plans) {
      for (const one of plan.have) have.set(one.entry, one.points);
      for (const one of plan.skip) skip.add(one);
    }
  }
  const sent: Sent = { bytes: 0, complete: false };
  const flush = (filler: RecordBlock) => {
    while (place.write(filler.block, filler.bytes).full) {
      if (options.onFull === undefined) throw new TransferFailure('disk-full', 'full');
      options.onFull();
    }
    return new RecordBlock(Buffer.allocUnsafe(RECEIVE_BLOCK_BYTES));
  };
  let filler = new RecordBlock(Buffer.allocUnsafe(RECEIVE_BLOCK_BYTES));
  for (const [entry, bytes] of contents) {
    if (skip.has(entry)) continue;
    const from = (have.get(entry) ?? []).filter((one) => one.bytes <= bytes.length && hashOf(bytes.subarray(0, one.bytes)) === one.blake3).at(-1)?.bytes ?? 0;
    for (let at = from; at < bytes.length; ) {
      if (sent.bytes >= (options.stopAfter ?? Infinity)) {
        flush(filler);
        return sent;
      }
      const count = filler.data(entry, at, bytes.subarray(at, at + (options.pieceBytes ?? bytes.length)));
      if (count === 0) filler = flush(filler);
      at += count;
      sent.bytes += count;
    }
    const name = entries[entry]!;
    const unreadable = 'name' in name && options.unreadable?.has(name.name) === true;
    const status = unreadable ? EntryStatus.unreadable : EntryStatus.whole;
    while (!filler.end(entry, status, unreadable ? '0'.repeat(64) : hashOf(bytes))) filler = flush(filler);
  }
  flush(filler);
  sent.complete = true;
  return sent;
}

/** One home, in a folder of its own below the system's temporary one. */
export class Scene {
  readonly root = mkdtempSync(join(tmpdir(), 'p2p-store-'));
  readonly received = join(this.root, 'received');
  readonly partial = join(this.root, 'partial');
  readonly notes: string[] = [];

  store(disk: Disk = systemDisk, nowMs?: () => number): StoreDisk {
    return new StoreDisk({ received: this.received, partial: this.partial }, disk, nowMs);
  }

  open(wanted: Wanted, disk?: Disk): IncomingPlace {
    return this.store(disk).open(wanted, { onNote: (path, note) => this.notes.push(`${path}: ${note}`) });
  }

  /** A whole transfer of a file. */
  async file(name: string, content: string | Buffer, disk?: Disk): Promise<Stored> {
    const bytes = Buffer.from(content);
    const place = this.open(wantedOf('file', name, bytes.length), disk);
    send(place, [{ name, size: bytes.length, modified: MODIFIED }], new Map([[0, bytes]]));
    return place.publish();
  }

  /** A whole transfer of a folder. */
  async folder(name: string, tree: Tree, disk?: Disk, options?: SendOptions): Promise<Stored> {
    const { entries, contents } = entriesOf(tree);
    const place = this.open(wantedOf('folder', name), disk);
    send(place, entries, contents, options);
    return place.publish();
  }

  /** Every path below the received folder with what is in it; null for a folder, a link as `-> `. */
  found(folder = this.received): Tree {
    const tree: Record<string, string | null> = {};
    for (const entry of list(folder)) {
      const path = join(folder, entry);
      const stats = lstatSync(path);
      tree[entry] = stats.isDirectory() ? null : stats.isFile() ? readFileSync(path, 'utf8') : '(other)';
    }
    return tree;
  }

  partials(): string[] {
    return list(this.partial);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  make(path: string): string {
    mkdirSync(join(this.root, path), { recursive: true });
    return join(this.root, path);
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  } catch {
    return [];
  }
}

/** Flushing takes most of the time of a small transfer, and shows in nothing that a test could see. */
const quickDisk: Disk = { ...systemDisk, fsync: () => undefined, fdatasync: () => undefined, flushAll: () => Promise.resolve() };

/** A disk of which `fault` may let any call fail. It is told every call, by its name and arguments, before it is made. */
export function diskWith(fault: (call: keyof Disk, args: readonly unknown[]) => Error | undefined): Disk {
  const wrapped: Record<string, unknown> = {};
  for (const call of Object.keys(quickDisk) as (keyof Disk)[]) {
    const real = Reflect.get(quickDisk, call) as (...args: unknown[]) => unknown;
    wrapped[call] = (...args: unknown[]): unknown => {
      const error = fault(call, args);
      if (error === undefined) return real(...args);
      if (call === 'flushAll') return Promise.reject(error);
      if (call === 'flush') {
        queueMicrotask(() => (args[1] as (error: Error) => void)(error));
        return undefined;
      }
      // A close that fails has closed.
      if (call === 'close') real(...args);
      throw error;
    };
  }
  return wrapped as unknown as Disk;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
