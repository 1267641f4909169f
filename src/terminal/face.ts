/**
 * What every face is: the terminal, the script and the JSON conversation are three consumers of one engine.
 */
import type { ClientApi, ClientEvent } from '../client/api.js';
import type { P2pError } from '../protocol/errors.js';
import type { ExitCode } from './exit-codes.js';

export interface Face {
  /**
   * Takes every event of the engine, also before {@link run}. A promise means that output is full: the engine should
   * read no more from its peers until it resolves (HOSTILE 24).
   */
  show(event: ClientEvent): Promise<void> | undefined;
  /** Something beside the events that the person must know, such as a password file that others can read. */
  warn(text: string): void;
  /** The error that ends the program before or instead of {@link run}. */
  fail(error: P2pError): void;
  /**
   * From login to the end: until the person leaves, the input ends, the server is gone, or `stop` aborts. Leaves properly.
   */
  run(api: ClientApi, stop: AbortSignal): Promise<ExitCode>;
  /** Gives the terminal back as it was. Idempotent. */
  close(): void;
}
