/** What the engine needs to know, complete: every field is present, defaults were applied by the command line. */

export type AcceptPolicy = 'ask' | 'all' | 'none';
export type SessionPolicy = 'auto' | 'ask';

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the folder that holds pins, partials and received files. */
  readonly home: string;
  readonly accept: AcceptPolicy;
  readonly sessions: SessionPolicy;
  /** Port for peers; 0 takes a free one. */
  readonly listenPort: number;
  /** The only server fingerprint to accept, or undefined for trust at first contact. */
  readonly pin: string | undefined;
  /** Program and version, told in hello. */
  readonly agent: string;
}
