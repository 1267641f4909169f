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

/** Number of a chat message: 1, 2, 3, … per sender and session. */
const chatNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export const PeerMessage = v.variant('type', [
  v.object({ type: v.literal('hello'), introduction: f.introductionId, versions: f.versions, features: f.features, agent: f.agent }),
  v.object({ type: v.literal('go') }),
  v.object({ type: v.literal('chat'), number: chatNumber, text: f.chatText }),
  v.object({ type: v.literal('chat-ack'), number: chatNumber }),
  /** `name` is any string here: protocol/names.ts decides, so that a bad one fails one offer and not the link. */
  v.object({
    type: v.literal('offer'),
    transfer: f.transferId,
    kind: v.literal('file'),
    name: v.pipe(v.string(), v.maxLength(1024)),
    size: f.byteCount,
  }),
  v.object({ type: v.literal('accept'), transfer: f.transferId, offset: f.byteCount, credit: f.byteCount }),
  v.object({ type: v.literal('reject'), transfer: f.transferId, code: f.transferCode, message: f.freeText }),
  /** Absolute: the sender may send up to this offset. */
  v.object({ type: v.literal('credit'), transfer: f.transferId, upTo: f.byteCount }),
  v.object({ type: v.literal('done'), transfer: f.transferId, blake3: f.blake3Hex }),
  v.object({ type: v.literal('verified'), transfer: f.transferId }),
  v.object({ type: v.literal('cancel'), transfer: f.transferId, by: v.picklist(['sender', 'receiver']), code: f.transferCode, message: f.freeText }),
  v.object({ type: v.literal('ping') }),
  v.object({ type: v.literal('pong') }),
  v.object({ type: v.literal('error'), code: f.wireCode, message: f.freeText }),
  v.object({ type: v.literal('close') }),
]);
export type PeerMessage = v.InferOutput<typeof PeerMessage>;
export type PeerMessageOf<TType extends PeerMessage['type']> = Extract<PeerMessage, { type: TType }>;

/** The messages that belong to a transfer. */
export type TransferMessage = PeerMessageOf<'offer' | 'accept' | 'reject' | 'credit' | 'done' | 'verified' | 'cancel'>;

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
