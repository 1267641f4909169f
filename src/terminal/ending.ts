/**
 * How a run ends: what is still under way is finished first. Closing sessions and link is the engine's `close`.
 *
 * One object per run. It sees every event, and offers a signal that aborts as soon as there is nothing left to wait for.
 */
import type { ClientApi, ClientEvent, ClientEventOf, TransferOutcome } from '../client/api.js';
import type { Output } from './output.js';

export class Ending {
  readonly #over = new AbortController();
  readonly #watches = new Set<(event: TransferOutcome) => void>();
  #disconnected: ClientEventOf<'disconnected'> | undefined;

  /** Every event of the engine must come through here. */
  see(event: ClientEvent): void {
    if (event.event === 'transfer-done' || event.event === 'transfer-failed') for (const watch of [...this.#watches]) watch(event);
    if (event.event === 'disconnected') {
      // A later one only says that the engine was closed in answer to this one.
      this.#disconnected ??= event;
      this.#over.abort();
    }
  }

  /** Also ends the run when `stop` aborts (a signal came) or nobody reads `output` any more. */
  endWith(stop: AbortSignal, output: Output): void {
    for (const signal of [stop, output.broken]) {
      if (signal.aborted) this.#over.abort();
      else signal.addEventListener('abort', () => this.#over.abort(), { once: true });
    }
  }

  /** Aborted when the run must end now: link closed, signal, closed output. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Why the link to the server is closed, once it is. */
  get disconnected(): ClientEventOf<'disconnected'> | undefined {
    return this.#disconnected;
  }

  async untilOver(): Promise<void> {
    if (this.over.aborted) return;
    await new Promise<void>((resolve) => this.over.addEventListener('abort', () => resolve(), { once: true }));
  }

  /**
   * Waits for the transfers that run now, and for the own offers that wait for an answer; offers that nobody here will
   * answer are left. Resolves early when the run is over.
   *
   * @returns How the transfers ended, as far as they did.
   */
  async finishTransfers(api: ClientApi): Promise<TransferOutcome[]> {
    const open = new Set(api.transfers.filter((one) => one.state === 'running' || one.direction === 'outgoing').map((one) => one.id));
    const outcomes: TransferOutcome[] = [];
    if (open.size === 0 || this.over.aborted) return outcomes;
    await new Promise<void>((resolve) => {
      const watch = (event: TransferOutcome) => {
        if (!open.delete(event.id)) return;
        outcomes.push(event);
        if (open.size === 0) done();
      };
      const done = () => {
        this.#watches.delete(watch);
        this.over.removeEventListener('abort', done);
        resolve();
      };
      this.#watches.add(watch);
      this.over.addEventListener('abort', done, { once: true });
    });
    return outcomes;
  }
}
