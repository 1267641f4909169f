/**
 * The one interface through which the server reaches accounts, presence and other links (DESIGN 8).
 *
 * Owns shapes and obligations, no behaviour. Everything is asynchronous and every value can be written as JSON, so that an
 * implementation may live on other machines. No address of a client passes through here except inside {@link RoutedMessage}.
 */
import * as v from 'valibot';
import { candidate, fingerprint, introductionId, publicKey, reach, sealedKey, userName } from '../protocol/fields.js';

/** An account as it is kept. All values are base64url except `user`, which has the spelling of the registration. */
export const Account = v.strictObject({
  user: userName,
  /** OPAQUE registration record. */
  record: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  /** Identity, SPKI DER. */
  publicKey,
  sealedKey,
  /** ISO 8601. */
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
});
export type Account = v.InferOutput<typeof Account>;

/** What makes this server itself. Made once, kept beside the accounts; without it every account is worthless. */
export const ServerSecrets = v.strictObject({
  /** Identity of the server, PKCS8 DER, base64url. */
  identityKey: v.string(),
  /** Self-signed certificate over that identity, PEM. */
  certificate: v.string(),
  /** OPAQUE server setup. */
  opaqueSetup: v.string(),
  /** The account that answers for names that have none (RFC 9807 section 10.9); nobody knows its password. */
  decoy: Account,
});
export type ServerSecrets = v.InferOutput<typeof ServerSecrets>;

/** One logged-in link of one account. `name` is canonical; `link` is unique among all links of the service. */
export interface LinkAddress {
  readonly name: string;
  readonly link: string;
}

const identity = v.object({ user: userName, fingerprint });
const linkAddress = v.object({ name: userName, link: v.string() });
/** What the server saw of a client; see candidates.ts. */
const seen = v.object({ address: v.string(), local: v.string() });

/** What one link's node tells the node of another link. */
export const RoutedMessage = v.variant('kind', [
  /** A newer login has taken the account over. */
  v.object({ kind: v.literal('displaced') }),
  v.object({ kind: v.literal('asked'), introduction: introductionId, from: identity, asker: linkAddress }),
  /** The target's answer; `reach` null refuses. */
  v.object({
    kind: v.literal('answered'),
    introduction: introductionId,
    by: identity,
    answerer: linkAddress,
    reach: v.nullable(reach),
    seen,
  }),
  v.object({ kind: v.literal('introduced'), introduction: introductionId, peer: identity, candidates: v.array(candidate) }),
  /** The asker is gone or has given up. */
  v.object({ kind: v.literal('ask-ended'), introduction: introductionId }),
]);
export type RoutedMessage = v.InferOutput<typeof RoutedMessage>;

/** Takes a message for a link of this node. Must not throw; a link that is gone meanwhile is ignored. */
export type RouteHandler = (link: string, message: RoutedMessage) => void;

/** Somebody who is there, in the spelling of the registration; `away` is what they say about being away. */
export interface Present {
  readonly user: string;
  readonly away: string | undefined;
}

/** What has become of one account, as all nodes are told it. `away` only with that state. */
export interface PresenceChange extends Present {
  readonly state: 'online' | 'away' | 'offline';
}

/** Takes what every change of presence, on whatever node, comes to. Must not throw. */
export type PresenceHandler = (change: PresenceChange) => void;

export interface ListRequest {
  /** Canonical; '' matches everybody. */
  readonly prefix: string;
  /** Canonical name after which the page begins. */
  readonly after: string | undefined;
  /** Names in the page at most. */
  readonly limit: number;
}

export interface ListPage {
  /** In the spelling of the registration, sorted by canonical name. */
  readonly users: string[];
  /** All that match the prefix, on every page. */
  readonly total: number;
  /** Canonical name to go on after, when more follow. */
  readonly next: string | undefined;
  /** Those of the page who are away, where there are any. */
  readonly away?: readonly { readonly user: string; readonly text: string }[];
}

/** Every method may reject with P2pError `server-error` when the store or the service behind it fails. */
export interface Backend {
  readonly secrets: ServerSecrets;

  /** Resolves once the account is durable. Of any number of callers with one canonical name exactly one gets true. */
  createAccount(account: Account): Promise<boolean>;

  hasAccount(name: string): Promise<boolean>;

  /**
   * The account for a login attempt; for a name that has none the decoy, with `genuine` false. Both ways take the same time and
   * do the same work (HOSTILE 7).
   */
  findForLogin(name: string): Promise<{ readonly account: Account; readonly genuine: boolean }>;

  /** Puts a link on the list, in place of an older one of the same account, whose node is told `displaced`. */
  announce(address: LinkAddress, user: string): Promise<void>;

  /** Takes a link off the list, unless a newer one of the account has its place. */
  withdraw(address: LinkAddress): Promise<void>;

  list(request: ListRequest): Promise<ListPage>;

  /** What the account of this link says about being away, until the link is withdrawn; undefined: it is not. A link that has lost its place is ignored. */
  setAway(address: LinkAddress, text: string | undefined): Promise<void>;

  /** Those of `names` (canonical) who are on the list. */
  find(names: readonly string[]): Promise<Present[]>;

  /** To the one link of `name`, whichever it is, or only to `link` where that is given. False when there is none. */
  deliver(to: { readonly name: string; readonly link?: string }, message: RoutedMessage): Promise<boolean>;

  /** Registers the one handler of this node. */
  receive(handler: RouteHandler): void;

  /** Registers the one handler of this node for changes of presence. */
  onPresence(handler: PresenceHandler): void;

  /** Idempotent. Everything acknowledged is durable before and after. */
  close(): Promise<void>;
}
