/**
 * What the transfers of all sessions of one client share: the disk, the threads that read, limits, numbers, and stdin.
 *
 * Owns their making and their end. What goes on within the transfers of one session is the business of transfer/manager.ts.
 */
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { BlockPools } from '../transfer/buffer-pool.js';
import type { TransferEvent } from '../transfer/events.js';
import { TransferManager } from '../transfer/manager.js';
import { RateLimiter } from '../transfer/rate-limit.js';
import { SourceThread } from '../transfer/source/source-thread.js';
import { ReceiveStore } from '../transfer/store/receive-store.js';
import { StdoutStore } from '../transfer/store/stdout-store.js';
import type { Store } from '../transfer/store/store.js';
import { WindowBudget } from '../transfer/window-budget.js';
import type { OutgoingTransfer } from './api.js';
import type { ClientOptions } from './options.js';
import type { Transfers } from './session.js';

/** What a client may read from and write to besides its folders, where the options say so. */
export interface ClientStreams {
  /** For `SEND_FILE -`. */
  readonly stdin?: Readable;
  /** For `received: '-'`. */
  readonly stdout?: Writable;
}

export class SharedTransfers {
  readonly store: Store;
  /** For all sending and, separately, all receiving. */
  readonly limiter: RateLimiter;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #sources = new SourceThread();
  readonly #windows = new WindowBudget();
  readonly #blocks = new BlockPools();
  #stdin: Readable | undefined;
  #lastId = 0;

  /** @throws P2pError `bad-argument` where files are to go to stdout and there is none. */
  constructor(options: ClientOptions, clock: Clock, { stdin, stdout }: ClientStreams) {
    this.#options = options;
    this.#clock = clock;
    this.#stdin = stdin;
    this.store = storeFor(options, stdout);
    this.limiter = new RateLimiter(clock);
    this.limiter.limit = options.limitRate;
  }

  /** The transfers of one session. */
  make({ peer, fingerprint }: { readonly peer: string; readonly fingerprint: string }, emit: (event: TransferEvent) => void): TransferManager {
    const { accept, acceptFrom, maxFile, acceptOtherwise } = this.#options;
    return new TransferManager({
      peer,
      fingerprint,
      store: this.store,
      openSource: (path, events) => this.#sources.open(path, events),
      policy: { accept, acceptFrom, maxFile, otherwise: acceptOtherwise },
      limiter: this.limiter,
      windows: this.#windows,
      blocks: this.#blocks,
      clock: this.#clock,
      nextId: () => ++this.#lastId,
      emit,
    });
  }

  /** Offers `path`, or what comes on stdin under `name`. @throws P2pError `bad-argument`, and as {@link TransferManager.offer}. */
  async offer(transfers: Pick<Transfers, 'offer' | 'offerPipe'>, path: string, name: string | undefined): Promise<OutgoingTransfer> {
    if (path !== '-') {
      if (name !== undefined) throw new P2pError('bad-argument', 'Only what comes on stdin is given a name: SEND_FILE - NAME.');
      return await transfers.offer(path);
    }
    if (name === undefined) throw new P2pError('bad-argument', 'What comes on stdin needs a name: SEND_FILE - NAME.');
    const stdin = this.#stdin;
    if (stdin === undefined) throw new P2pError('bad-argument', 'Stdin cannot be sent: it carries the commands, or has been sent already.');
    const offered = await transfers.offerPipe(stdin, name);
    this.#stdin = undefined;
    return offered;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#sources.close(), this.store.close()]);
  }
}

function storeFor({ received, home }: ClientOptions, stdout: Writable | undefined): Store {
  if (received !== '-') return new ReceiveStore({ received, partial: join(home, 'partial') });
  if (stdout === undefined) throw new P2pError('bad-argument', 'There is no stdout to which received files could go.');
  return new StdoutStore(stdout);
}
