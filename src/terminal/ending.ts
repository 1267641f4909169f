/**
 * How a run ends: what is still under way is finished first. Closing sessions and link is the engine's `close`.
 *
 * One object per run. It sees every event, and offers a signal that aborts as soon as there is nothing left to wait for.
 */
import type { ClientApi, ClientEvent, ClientEventOf, TransferOutcome } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import type { Output } from './output.js';
import { waitingAtEndText } from './transfer-wording.js';

export class Ending {
  readonly #over = new AbortController();
  readonly #watches = new Set<(event: TransferOutcome) => void>();
  readonly #accepted = new Set<number>();
  readonly #receivedOne = new AbortController();
  #disconnected: ClientEventOf<'disconnected'> | undefined;
  #received: TransferOutcome | undefined;

  /** Every event of the engine must come through here. */
  see(event: ClientEvent): void {
    if (event.event === 'transfer-done' || event.event === 'transfer-failed') this.#seeOutcome(event);
    // One that was refused has no part in what is received.
    if (event.event === 'offer' && event.direction === 'incoming' && event.decision === 'accepted') this.#accepted.add(event.id);
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

  /** The run has failed from outside. */
  end(): void {
    this.#over.abort();
  }

  /** Aborted when the run must end now: link closed, signal, closed output. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Why the link to the server is closed, once it is. */
  get disconnected(): ClientEventOf<'disconnected'> | undefined {
    return this.#disconnected;
  }

  /** How the first accepted transfer from another ended, once it has. */
  get received(): TransferOutcome | undefined {
    return this.#received;
  }

  /** Resolves when {@link received} is there, or the run is over. */
  async untilReceived(): Promise<void> {
    await untilAborted(AbortSignal.any([this.#receivedOne.signal, this.over]));
  }

  async untilOver(): Promise<void> {
    await untilAborted(this.over);
  }

  /**
   * Waits for the transfers that were taken, whatever they themselves wait for, and for the own offers that wait for an
   * answer; offers that nobody here will answer are left. What was paused here goes on, as nobody could resume it any more.
   * Resolves early when the run is over.
   *
   * @param say Is told what is waited for where that may take long.
   * @returns How the transfers ended, as far as they did.
   */
  async finishTransfers(api: ClientApi, say: (text: string) => void): Promise<TransferOutcome[]> {
    const waitedFor = api.transfers.filter((one) => one.state !== 'offered' || one.direction === 'outgoing');
    const open = new Set(waitedFor.map((one) => one.id));
    const outcomes: TransferOutcome[] = [];
    if (open.size === 0 || this.over.aborted) return outcomes;
    const ended = this.#untilEnded(open, outcomes);
    for (const one of waitedFor) {
      const text = waitingAtEndText(one);
      if (text !== undefined) say(text);
      if (one.state === 'paused' && one.waits === 'paused-by-you') await resume(api, one.id);
    }
    await ended;
    return outcomes;
  }

  #seeOutcome(outcome: TransferOutcome): void {
    for (const watch of [...this.#watches]) watch(outcome);
    if (!this.#accepted.delete(outcome.id)) return;
    // Two may be accepted at the same moment; the store then refuses the one that came second.
    if (outcome.event === 'transfer-failed' && outcome.code === 'rejected-by-policy') return;
    this.#received ??= outcome;
    this.#receivedOne.abort();
  }

  /** Takes ended transfers out of `open` and puts how they ended into `outcomes`, until none is left or the run is over. */
  async #untilEnded(open: Set<number>, outcomes: TransferOutcome[]): Promise<void> {
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
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function resume(api: ClientApi, id: number): Promise<void> {
  try {
    await api.resumeFile(id);
  } catch (error) {
    // It may have ended just now.
    if (!(error instanceof P2pError)) throw error;
  }
}
