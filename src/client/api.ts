/**
 * What the engine offers to a screen, a script or a program: promise methods in, one event union out.
 *
 * Owns the shapes only. The engine (engine.ts) implements {@link ClientApi}; terminal/ consumes it and nothing else of client/.
 * Event names and fields are those of the README's JSON table and do not change lightly.
 */
import type { ErrorCode } from '../protocol/errors.js';
import type { Direction, TransferEvent, TransferOutcome, TransferSnapshot } from '../transfer/events.js';
import type { Leftover } from '../transfer/store/store.js';

export type { Direction, TransferOutcome, TransferSnapshot, TransferState, WaitsFor } from '../transfer/events.js';
export type { Leftover } from '../transfer/store/store.js';

/** How the server's key came to be trusted: pinned just now, pinned earlier, or by the system's certificate roots. */
export type ServerTrust = 'new' | 'known' | 'system';

export type PathKind = 'direct' | 'punched' | 'relayed';

/** Everything that the engine tells without being asked. Payloads hold text of other people: neutralise before showing. */
export type ClientEvent =
  /** The server link is up for the first time. `server` is `host:port` as given, `since` the day of the first contact with a known one. */
  | { readonly event: 'connected'; readonly server: string; readonly fingerprint: string; readonly trust: ServerTrust; readonly since?: string }
  /** `fingerprint` is that of the person's own identity. */
  | { readonly event: 'logged-in'; readonly user: string; readonly new: boolean; readonly fingerprint: string }
  /** The server link broke; it is being re-made. Sessions go on. */
  | { readonly event: 'server-lost'; readonly reason: string }
  /** The link to the server is there again. */
  | { readonly event: 'server-back' }
  /** Somebody asks for a session and the policy is `ask`: answer with `answerSession`. */
  | { readonly event: 'session-request'; readonly peer: string; readonly fingerprint: string }
  /** A session is open, whoever began it. */
  | {
      readonly event: 'session-opened';
      readonly peer: string;
      readonly direction: Direction;
      readonly path: PathKind;
      /** The other end of the peer link, `ip:port`. */
      readonly address: string;
      readonly fingerprint: string;
      /** True when this key was pinned just now. */
      readonly firstContact: boolean;
      /** True when this session is now the one that chat goes to. */
      readonly current: boolean;
      /** True when the person has verified this key. */
      readonly verified: boolean;
    }
  /** The connection to the peer broke; it is being re-made for ten minutes. Messages and transfers wait. */
  | { readonly event: 'session-lost'; readonly peer: string; readonly reason: string }
  /** The session goes on. `restarted`: the peer's program is another one than before, so that what it was sending has ended. */
  | { readonly event: 'session-back'; readonly peer: string; readonly path: PathKind; readonly address: string; readonly restarted: boolean }
  /** `code`: `closed-by-peer`, `closed-by-you`, or why the link was lost. `undelivered` counts messages without acknowledgement. */
  | { readonly event: 'session-closed'; readonly peer: string; readonly reason: string; readonly code: SessionEnd; readonly undelivered: number }
  /** `number`, from 1, is that of one's own messages of this session; with `out` only. Unless more is said it went out at once. */
  | { readonly event: 'message'; readonly peer: string; readonly direction: 'in' | 'out'; readonly text: string; readonly number?: number }
  /** What became of an own message. */
  | { readonly event: 'message-state'; readonly peer: string; readonly number: number; readonly state: DeliveryState }
  | TransferEvent
  /** Somebody who was talked to, or asked after with `watchUser`, has come, gone or changed what AWAY says. How it is at the beginning is no event. */
  | ({ readonly event: 'presence'; /** How it was before. */ readonly before?: PersonPresence['state'] } & PersonPresence)
  /** Once after the login, where anybody of those who were talked to is there: who. */
  | { readonly event: 'people'; readonly people: readonly PersonPresence[] }
  /**
   * The server names another key for this peer than the pinned one. Nothing goes to or comes from this peer until `acceptKey`. `since`:
   * the day from which the `known` key is pinned; `verified`: the person had verified it; `again`: told before. `incoming`: the peer has asked.
   */
  | {
      readonly event: 'key-changed';
      readonly peer: string;
      readonly direction: Direction;
      readonly known: string;
      readonly since?: string;
      readonly verified: boolean;
      readonly offered: string;
      readonly again: boolean;
    }
  /** Something that the person must know and that no command of theirs caused. */
  | { readonly event: 'warning'; readonly code: ErrorCode; readonly message: string; readonly peer?: string }
  /** The end: nothing follows. `code` tells why; `closed` is the person's own wish. */
  | { readonly event: 'disconnected'; readonly reason: string; readonly code: ErrorCode };

export type ClientEventOf<TEvent extends ClientEvent['event']> = Extract<ClientEvent, { event: TEvent }>;

/**
 * Of an own message. `waiting`: for the connection to be re-made; then `sent` again. `delivered`: the peer's program has it.
 * `undelivered`: the session ended before that was confirmed, so it may be lost.
 */
export type DeliveryState = 'waiting' | 'sent' | 'delivered' | 'undelivered';

export type SessionEnd = 'closed-by-peer' | 'closed-by-you' | 'link-lost';

/** How it is with somebody. `text` is what they say about being away; empty where the server had no room for it. */
export interface PersonPresence {
  readonly user: string;
  readonly state: 'online' | 'away' | 'offline';
  readonly text?: string;
}

export interface BlockOutcome {
  readonly user: string;
  readonly fingerprint?: string;
  /** False: nobody of that name was ever talked to or is online, so it may be mistyped. It is blocked all the same. */
  readonly known: boolean;
}

export interface BlockedPerson {
  readonly user: string;
  readonly fingerprint?: string;
  /** `YYYY-MM-DD`. */
  readonly since?: string;
}

export interface ClientList {
  readonly clients: readonly string[];
  readonly total: number;
  /** Those of `clients` who are away, where there are any. */
  readonly away?: readonly { readonly user: string; readonly text: string }[];
}

export interface PeerInfo {
  readonly user: string;
  readonly fingerprint: string;
  /** `ip:port`, the one in use first. */
  readonly addresses: readonly string[];
}

/** What two people compare over another channel; see `security/safety-number.ts`. */
export interface SafetyNumberInfo {
  readonly user: string;
  /** The key of `user` from which it is computed. */
  readonly fingerprint: string;
  /** `offered`: a changed key that waits for `acceptKey`. */
  readonly key: 'known' | 'offered';
  /** `YYYY-MM-DD`: since when that key is known. */
  readonly since?: string;
  readonly verified: boolean;
  /** `YYYY-MM-DD`. */
  readonly verifiedOn?: string;
  /** One part for each of the two, in the same order for both: 6 groups of 5 digits, and 7 words. */
  readonly parts: readonly { readonly user: string; readonly digits: readonly string[]; readonly words: readonly string[] }[];
}

export interface AcceptedKey {
  readonly user: string;
  readonly fingerprint: string;
  /** The key that was known before, if there was one. */
  readonly previous?: string;
  /** Whether the previous one had been verified; the new one is not. */
  readonly wasVerified: boolean;
}

/** What is known of somebody. Days are `YYYY-MM-DD`; what is not known is left out. */
export interface WhoisInfo {
  readonly user: string;
  /** It is the person's own name. */
  readonly self: boolean;
  /** Undefined while the server cannot be asked. */
  readonly online?: boolean;
  /** What this person says about being away. */
  readonly away?: string;
  /** The pinned key. */
  readonly fingerprint?: string;
  readonly since?: string;
  readonly verified: boolean;
  readonly verifiedOn?: string;
  /** Keys that were offered in place of the pinned one and wait for `acceptKey`. */
  readonly offered?: readonly string[];
  readonly session?: SessionInfo;
}

/** An open session, for `whois`. */
export interface SessionInfo {
  /** `lost`: the connection is being re-made; the fields then tell of the last one. */
  readonly state: 'open' | 'lost';
  /** Who began it. */
  readonly direction: Direction;
  readonly path: PathKind;
  /** `ip:port`, the one in use first. */
  readonly addresses: readonly string[];
  /** ISO 8601, when it was opened. */
  readonly since: string;
  /** Measured just now; left out when no answer came in time. */
  readonly roundTripMs?: number;
  /** Over all connections of this session, with TLS's own left out. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface OutgoingTransfer {
  readonly id: number;
  /** Resolves with the event that ended the transfer; never rejects. */
  readonly finished: Promise<TransferOutcome>;
}

/**
 * One person's client. Methods reject with a `P2pError` whose message says what to do next; none of them blocks.
 */
export interface ClientApi {
  /**
   * Registers the one consumer of events; called before {@link connect}, and again to hand over to another. A promise that
   * it returns holds back the peer whose event it was until it resolves; it must not reject.
   */
  onEvent(listener: (event: ClientEvent) => void | Promise<void>): void;

  /** Server link, pin and hello. @throws P2pError `cannot-connect`, `server-key-changed`. */
  connect(): Promise<void>;
  /** @throws P2pError `name-taken`, `bad-name`. */
  checkName(user: string): Promise<void>;
  /** Makes the account and logs in. @throws P2pError `name-taken`, `bad-name`, `rate-limited`, `intercepted`. */
  register(user: string, password: string): Promise<void>;
  /** @throws P2pError `not-authenticated`, `rate-limited`, `too-many-attempts`, `intercepted`. */
  login(user: string, password: string): Promise<void>;

  /** Everybody online, you included, sorted. */
  listClients(prefix?: string): Promise<ClientList>;
  /** Opens a session, or makes an open one current; one whose connection is being re-made is tried at once. @throws P2pError `unavailable`, `no-path`, `peer-key-changed`, … */
  openSession(user: string): Promise<PeerInfo>;
  /** Answers a `session-request`; without `user` the only one or the oldest. */
  answerSession(accept: boolean, user?: string): Promise<void>;
  /** By name or number; digits in a string are a name where there is one like that. @returns The peer. @throws P2pError `no-session`. */
  switchSession(session: string | number): string;
  /** Ends the current session on both sides. @throws P2pError `no-session`. */
  closeSession(): Promise<void>;

  /**
   * Resolves once the peer has acknowledged, which may be after the connection was re-made. `to` defaults to the current session.
   *
   * @throws P2pError `no-session`, `message-too-long`, `session-closed`; `too-slow` while many messages wait for a peer who confirms none.
   */
  say(text: string, to?: string): Promise<void>;
  /**
   * Offers a file or folder; resolves once the offer is out. With `name` and the path `-`: what comes on stdin, under that name.
   *
   * @throws P2pError `no-session`, `no-such-file`, `not-a-file`, `read-failed`, `bad-argument`.
   */
  sendFile(path: string, name?: string): Promise<OutgoingTransfer>;
  /** Without `id` the oldest offer. @throws P2pError `no-such-offer`. */
  acceptFile(id?: number): Promise<void>;
  rejectFile(id?: number): Promise<void>;
  /** Without `id` the only transfer under way. @throws P2pError `no-such-transfer`. */
  cancelFile(id?: number): Promise<void>;
  /** Without `id` the only transfer under way that can be paused, or is. @throws P2pError `no-such-transfer`. */
  pauseFile(id?: number): Promise<void>;
  resumeFile(id?: number): Promise<void>;
  /** What can be continued when it is sent again. */
  leftovers(): Promise<readonly Leftover[]>;
  /** For all sending and, separately, all receiving; undefined: none. Bytes a second. */
  limitRate(bytesPerSecond: number | undefined): void;
  readonly rateLimit: number | undefined;

  /** Tells everybody who is online that this person is away and why; without `text`, that they are back. @throws P2pError `bad-argument`, `unavailable`. */
  setAway(text?: string): Promise<void>;
  /** How it is with `user`; from now on `presence` events tell. @throws P2pError `unavailable` where the server cannot tell. */
  watchUser(user: string): Promise<PersonPresence>;
  /** Ends a session with `user` and refuses from now on whatever they ask for, as if offline. @throws P2pError `bad-argument`, `bad-name`. */
  block(user: string): Promise<BlockOutcome>;
  /** @throws P2pError `bad-argument` where `user` is not blocked. */
  unblock(user: string): Promise<void>;
  /** Whom this person has blocked on this server, oldest first. */
  readonly blocked: readonly BlockedPerson[];
  /** What this person says about being away. */
  readonly away: string | undefined;
  /** How it is with those who were talked to or asked after. */
  readonly people: readonly PersonPresence[];

  /** What to compare with `user` over another channel. @throws P2pError `unknown-peer`; `peer-key-changed` where several keys are offered. */
  safetyNumber(user: string): Promise<SafetyNumberInfo>;
  /** Notes that the person has compared the safety number, or takes that back. @throws P2pError `unknown-peer`, `peer-key-changed`. */
  markVerified(user: string, verified: boolean): Promise<SafetyNumberInfo>;
  /** Whether the person has verified the key of `user`. */
  isVerified(user: string): boolean;
  /**
   * Takes a changed key for the right one. `end`: its last characters, or the whole fingerprint, which then need not have been offered.
   *
   * @throws P2pError `no-key-change`; `bad-argument`, `peer-key-changed` where more is needed to say which.
   */
  acceptKey(user: string, end?: string): Promise<AcceptedKey>;
  /** What is known of `user`, online or not. @throws P2pError `unknown-peer` where nothing is. */
  whois(user: string): Promise<WhoisInfo>;

  /** The user name after login. */
  readonly user: string | undefined;
  /** The peer that chat goes to. */
  readonly current: string | undefined;
  /** Peers with an open session, oldest first. */
  readonly sessions: readonly string[];
  /** From 1; stays as long as the session is open. */
  sessionNumber(user: string): number | undefined;
  /** Offers and transfers that have not ended, oldest first. */
  readonly transfers: readonly TransferSnapshot[];

  /** Leaves. @throws P2pError `session-open` while a session is open. */
  disconnect(): Promise<void>;
  /** Ends everything, sessions included; idempotent. Transfers under way fail on both sides. */
  close(): Promise<void>;
}
