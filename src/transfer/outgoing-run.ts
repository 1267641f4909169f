/**
 * One transfer on its way out over one link, from `accept` to the last end frame (PROTOCOL.md 7.5.1 to 7.5.3).
 *
 * Owns what is true of this link only: credit, how far the list and the data have come. A new link means a new run.
 */
import { transferLimits } from '../protocol/limits.js';
import type { PeerMessageOf } from '../protocol/peer-messages.js';
import type { TransferContext } from './context.js';
import { TransferFailure } from './failure.js';
import type { FileCount } from './file-count.js';
import type { Batch, Pumped, SendPump } from './send-pump.js';
import type { Plan, Source, SourceBatch } from './source/source.js';

/** Nothing is read for less credit: an end frame needs 46 bytes. */
const LEAST_CREDIT = 1024;

export interface OutgoingRunOptions {
  readonly context: TransferContext;
  readonly pump: SendPump;
  readonly source: Source;
  readonly transfer: number;
  readonly accept: PeerMessageOf<'accept'>;
  /** Is told of the list, and how far it has come. */
  readonly count: FileCount;
  /** Whether frames may go out now. */
  flows(): boolean;
  /** Something has been read or sent. */
  onMove(): void;
  /** Everything is with the link. `blake3`: of a single file. */
  onComplete(blake3: string | undefined): void;
  /** The source cannot be read on. Not called after {@link OutgoingRun.end}. */
  onError(error: unknown): void;
}

export class OutgoingRun implements Pumped {
  readonly #options: OutgoingRunOptions;
  /** The first grant, by which later ones run ahead of what is written. */
  readonly #window: number;
  #state: 'starting' | 'running' | 'complete' | 'ended' = 'starting';
  /** Bytes of frames. */
  #upTo: number;
  #sent = 0;
  /** Bytes of file. */
  #payload = 0;
  #had = 0;
  /** Entries. */
  #listed: number;
  #planned: number;
  #ended = 0;
  /** Of those that have ended: whose end is with the link. The others the receiver still waits for. */
  #gone = 0;
  #listedAll: boolean;
  #listing = false;
  /** All that is planned has been read. */
  #idle = true;
  #reading: Promise<unknown> | undefined;
  /** Batches read and not yet with the link. */
  #unsent = 0;
  #blake3: string | undefined;
  #limitedSince: number | undefined;

  constructor(options: OutgoingRunOptions) {
    this.#options = options;
    const { credit } = options.accept;
    this.#window = credit;
    this.#upTo = credit;
    const isFile = options.source.facts.kind === 'file';
    this.#listed = isFile ? 1 : 0;
    this.#planned = 0;
    this.#listedAll = isFile;
  }

  /** Bytes of file that the receiver has written, as far as its credit tells. */
  get written(): number {
    const frames = Math.min(this.#upTo - this.#window, this.#sent);
    return this.#state === 'complete' && frames === this.#sent ? this.#payload : Math.floor((this.#payload * frames) / Math.max(1, this.#sent));
  }

  /** Bytes of file that were sent over this link. */
  get sentBytes(): number {
    return this.#payload;
  }

  /** Bytes of file that were not sent because the receiver has them. */
  get had(): number {
    return this.#had;
  }

  /** Since when, by the clock, a batch waits for the rate limit; undefined where none does. */
  get limitedSince(): number | undefined {
    return this.#limitedSince;
  }

  /** Looks at the source, then lists. */
  async start(): Promise<void> {
    const { source, accept, pump } = this.#options;
    try {
      await source.start(accept.settled);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#over) return;
    this.#state = 'running';
    pump.add(this);
    this.#list();
  }

  credited(upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#options.onMove();
    this.#options.pump.wake();
  }

  /** @throws TransferFailure `out-of-order` for a plan of something that was not listed, or not in order. */
  planned(plan: Plan): void {
    const end = plan.first + plan.count;
    const fits = plan.first === this.#planned && plan.count > 0 && end <= this.#listed;
    const inside = (entry: number) => entry >= plan.first && entry < end;
    if (!fits || !plan.skip.every(inside) || !plan.have.every(({ entry }) => inside(entry))) {
      throw new TransferFailure('out-of-order', 'The receiver answered for files that it was not told of.');
    }
    this.#planned = end;
    this.#options.source.plan(plan);
    this.#idle = false;
    this.#options.pump.wake();
  }

  get ready(): boolean {
    if (this.#state !== 'running' || this.#idle || this.#reading !== undefined || !this.#options.flows()) return false;
    return this.#upTo - this.#sent >= LEAST_CREDIT;
  }

  async read(buffer: Buffer, maxBytes: number): Promise<Batch | undefined> {
    const { source, transfer } = this.#options;
    const reading = source.read(buffer, transfer, Math.min(maxBytes, this.#upTo - this.#sent, buffer.length));
    this.#reading = reading;
    this.#unsent += 1;
    // A plan that comes while this is read makes more to read than it will say.
    const planned = this.#planned;
    try {
      const batch = await reading;
      this.#reading = undefined;
      this.#took(batch, planned);
      return this.#batch(buffer.subarray(0, batch.bytes), batch.ended);
    } catch (error) {
      this.#reading = undefined;
      this.#failed(error);
      return undefined;
    }
  }

  /** Nothing of this run is of use any more; resolves when its last read has ended. Idempotent. */
  async end(): Promise<void> {
    this.#state = 'ended';
    this.#options.pump.remove(this);
    await this.#reading?.catch(() => undefined);
  }

  #batch(frames: Buffer, ended: number): Batch {
    const over = () => this.#over;
    const { clock } = this.#options.context;
    if (frames.length === 0) this.#left(this.#gone);
    return {
      frames,
      get wanted() {
        return !over();
      },
      limited: (is) => {
        this.#limitedSince = is ? clock.now() : undefined;
      },
      sent: () => this.#left(ended),
    };
  }

  #took(batch: SourceBatch, planned: number): void {
    this.#sent += batch.bytes;
    this.#payload += batch.payload;
    this.#had += batch.had;
    this.#ended = batch.ended;
    this.#options.count.reach(batch.ended);
    this.#idle = batch.idle && planned === this.#planned;
    if (batch.blake3 !== undefined) this.#blake3 = batch.blake3;
    if (this.#over) return;
    this.#options.onMove();
  }

  /** Batches go out in the order in which they were read, so that the last one is the last. */
  #left(ended: number): void {
    this.#unsent -= 1;
    this.#gone = this.#unsent === 0 ? this.#ended : ended;
    this.#list();
    this.#completeIfSo();
  }

  #completeIfSo(): void {
    if (this.#state !== 'running' || this.#unsent > 0 || !this.#listedAll || this.#ended < this.#listed) return;
    this.#state = 'complete';
    this.#options.pump.remove(this);
    this.#options.onComplete(this.#blake3);
  }

  /** Lists on, as far ahead as may be. */
  #list(): void {
    const ahead = this.#listed - this.#gone + transferLimits.entriesPerMessage;
    if (this.#listing || this.#listedAll || this.#state !== 'running' || ahead > transferLimits.entriesAhead) return;
    this.#listing = true;
    void this.#listOnce();
  }

  async #listOnce(): Promise<void> {
    const { source, context, transfer } = this.#options;
    try {
      const { first, entries, last } = await source.list();
      this.#listing = false;
      if (this.#over) return;
      // What the receiver has settled needs neither plan nor data.
      if (this.#listed === 0) this.#planned = this.#ended = this.#gone = first;
      this.#listed = first + entries.length;
      this.#listedAll = last;
      this.#options.count.listed(first, entries);
      context.port.send({ type: 'entries', transfer, first, entries: [...entries], last });
      this.#list();
      // An empty folder, or one of which all is settled.
      this.#completeIfSo();
    } catch (error) {
      this.#listing = false;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#over) this.#options.onError(error);
  }

  get #over(): boolean {
    return this.#state === 'ended' || this.#state === 'complete';
  }
}
