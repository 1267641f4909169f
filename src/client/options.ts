/** What the engine needs to know, complete: every field is present, defaults were applied by the command line. */

export type AcceptPolicy = 'ask' | 'all' | 'none';
export type SessionPolicy = 'auto' | 'ask';

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the folder that holds pins, partials and received files. */
  readonly home: string;
  readonly accept: AcceptPolicy;
  /** With `accept: all`: the canonical names of those whose files are taken; undefined: everybody's. */
  readonly acceptFrom: readonly string[] | undefined;
  /** With `accept: all`: larger offers are not taken, bytes; undefined: no limit. */
  readonly maxFile: number | undefined;
  /** What becomes of an offer that `acceptFrom` or `maxFile` leaves out: a person is asked, or it is refused. */
  readonly acceptOtherwise: 'ask' | 'none';
  /** Absolute path of the folder for finished files; `-` writes one file to stdout. */
  readonly received: string;
  /** Bytes a second for all sending, and for all receiving; undefined: none. */
  readonly limitRate: number | undefined;
  readonly sessions: SessionPolicy;
  /** Port for peers; 0 takes a free one. */
  readonly listenPort: number;
  /** The only server fingerprint to accept, or undefined for trust at first contact. */
  readonly pin: string | undefined;
  /** Program and version, told in hello. */
  readonly agent: string;
}
