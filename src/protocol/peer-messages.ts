/**
 * The messages of the peer link (PROTOCOL.md 7) and the table that says which is legal when (PROTOCOL.md 7.3).
 *
 * Owns shapes and legality; sessions and transfers decide what to do about them.
 */
import * as v from 'valibot';
import { RemoteViolation } from './errors.js';
import * as f from './fields.js';
import { jsonFrame } from './frames.js';
import { encodeJson, parseJson } from './json.js';
import { transferLimits } from './limits.js';

/** Number of a chat message: 1, 2, 3, … per sender and session. */
const chatNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const chatCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const side = v.picklist(['sender', 'receiver']);

/** A file, or a folder by its path from the offered one: the files that follow are in it. The more frequent first, since they are tried in turn. */
const entry = v.union([
  v.object({ name: f.anyName, size: f.byteCount, modified: f.modified }),
  v.object({ folder: v.pipe(v.array(f.anyName), v.minLength(1), v.maxLength(transferLimits.folderDepth)), modified: f.modified }),
]);
export type Entry = v.InferOutput<typeof entry>;

const listing = {
  transfer: f.transferId,
  first: f.entryCount,
  entries: v.pipe(v.array(entry), v.maxLength(transferLimits.entriesPerMessage)),
  last: v.boolean(),
};

/** What a receiver has of an entry: hashes of the first bytes of it, shortest first. */
const have = v.object({
  entry: f.entryCount,
  points: v.pipe(v.array(v.object({ bytes: f.byteCount, blake3: f.blake3Hex })), v.minLength(1), v.maxLength(transferLimits.pointsPerEntry)),
});
export type Have = v.InferOutput<typeof have>;

export const PeerMessage = v.variant('type', [
  /** `session`: the one to be continued, named after its first introduction; `taken`: the last chat message taken in it. */
  v.object({
    type: v.literal('hello'),
    introduction: f.introductionId,
    versions: f.versions,
    features: f.features,
    agent: f.agent,
    session: v.optional(f.introductionId),
    taken: v.optional(chatCount),
    ended: v.optional(v.boolean()),
  }),
  v.object({ type: v.literal('go') }),
  v.object({ type: v.literal('chat'), number: chatNumber, text: f.chatText }),
  v.object({ type: v.literal('chat-ack'), number: chatNumber }),
  /** `size`: null where it is not known, for a pipe. `counted`: whether `size` and `files` are final. */
  v.object({
    type: v.literal('offer'),
    transfer: f.transferId,
    kind: v.picklist(['file', 'folder']),
    name: f.anyName,
    size: v.nullable(f.byteCount),
    files: f.entryCount,
    counted: v.boolean(),
    modified: v.nullable(f.modified),
  }),
  v.object({ type: v.literal('tally'), transfer: f.transferId, size: f.byteCount, files: f.entryCount, counted: v.boolean() }),
  /** Every unfinished offer has been made again on this link. */
  v.object({ type: v.literal('offers-end') }),
  v.object({ type: v.literal('survey'), transfer: f.transferId, first: f.entryCount }),
  v.object({ type: v.literal('surveyed'), ...listing }),
  v.object({ type: v.literal('accept'), transfer: f.transferId, credit: f.byteCount, settled: v.optional(v.object({ entries: f.entryCount, blake3: f.blake3Hex })) }),
  v.object({ type: v.literal('reject'), transfer: f.transferId, code: f.transferCode, message: f.freeText }),
  v.object({ type: v.literal('entries'), ...listing }),
  v.object({
    type: v.literal('plan'),
    transfer: f.transferId,
    first: f.entryCount,
    count: f.entryCount,
    have: v.pipe(v.array(have), v.maxLength(transferLimits.entriesPerMessage)),
    skip: v.pipe(v.array(f.entryCount), v.maxLength(transferLimits.entriesPerMessage)),
  }),
  /** Absolute on this link: the sender may send up to so many bytes of data and end frames. */
  v.object({ type: v.literal('credit'), transfer: f.transferId, upTo: f.byteCount }),
  v.object({ type: v.literal('pause'), transfer: f.transferId, by: side, reason: v.picklist(['person', 'disk-full']) }),
  v.object({ type: v.literal('resume'), transfer: f.transferId, by: side }),
  v.object({ type: v.literal('waits'), transfer: f.transferId, by: side, on: v.picklist(['nothing', 'disk', 'rate-limit']) }),
  /** `same`: files that were there already; `refused`: entries that could not be stored. */
  v.object({ type: v.literal('verified'), transfer: f.transferId, same: f.entryCount, refused: f.entryCount }),
  v.object({ type: v.literal('cancel'), transfer: f.transferId, by: side, code: f.transferCode, message: f.freeText }),
  /** A wish to dial the other, in the name of `introduction`, for another connection of this link. */
  v.object({ type: v.literal('move'), introduction: f.introductionId }),
  v.object({ type: v.literal('move-to'), port: f.port }),
  /** The last on this connection. */
  v.object({ type: v.literal('moved') }),
  v.object({ type: v.literal('ping') }),
  v.object({ type: v.literal('pong') }),
  v.object({ type: v.literal('error'), code: f.wireCode, message: f.freeText }),
  v.object({ type: v.literal('close') }),
]);
export type PeerMessage = v.InferOutput<typeof PeerMessage>;
export type PeerMessageOf<TType extends PeerMessage['type']> = Extract<PeerMessage, { type: TType }>;

/** The messages that belong to a transfer. */
export type TransferMessage = PeerMessageOf<
  | 'offer' | 'tally' | 'offers-end' | 'survey' | 'surveyed' | 'accept' | 'reject' | 'entries' | 'plan' | 'credit' | 'pause' | 'resume' | 'waits' | 'verified' | 'cancel'
>;

/**
 * States of a peer link: `hello` until the other's hello has come, `waiting` until `go` (answerer only), then `open`.
 */
export type PeerLinkState = 'hello' | 'waiting' | 'open';

/** Who asked for the introduction; the asker is TLS client on every path and says `go`. */
export type PeerRole = 'asker' | 'answerer';

/**
 * Whether the other side, being in `role`, may send `type` now, and the state that follows (PROTOCOL.md 7.3).
 *
 * @throws RemoteViolation `unexpected-message`.
 */
export function nextPeerLinkState(state: PeerLinkState, role: PeerRole, type: PeerMessage['type']): PeerLinkState {
  if (type === 'error') return state;
  if (state === 'hello' && type === 'hello') return 'waiting';
  if (state === 'waiting' && type === 'go' && role === 'asker') return 'open';
  if (state === 'open' && type !== 'hello' && type !== 'go') return 'open';
  throw new RemoteViolation('unexpected-message', `"${type}" is not allowed now.`);
}

export function parsePeerMessage(body: Uint8Array): PeerMessage {
  return f.parseMessage(PeerMessage, parseJson(body));
}

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  return jsonFrame(encodeJson(message));
}
