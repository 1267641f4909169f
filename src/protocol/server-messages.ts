/**
 * The messages of the server link (PROTOCOL.md 5) and the table that says which is legal when (PROTOCOL.md 5.6).
 *
 * Owns shapes and legality; sending, waiting and answering are elsewhere.
 */
import * as v from 'valibot';
import { RemoteViolation } from './errors.js';
import * as f from './fields.js';
import { jsonFrame } from './frames.js';
import { encodeJson, parseJson } from './json.js';
import { serverLimits } from './limits.js';

/** Client to server. */
export const ClientMessage = v.variant('type', [
  v.object({ type: v.literal('hello'), versions: f.versions, features: f.features, agent: f.agent }),
  v.object({ type: v.literal('name-check'), id: f.requestId, user: f.userName }),
  v.object({ type: v.literal('register-start'), id: f.requestId, user: f.userName, request: f.opaqueBytes(64) }),
  v.object({
    type: v.literal('register-finish'),
    id: f.requestId,
    record: f.opaqueBytes(512),
    publicKey: f.publicKey,
    sealedKey: f.sealedKey,
    signature: f.signature,
  }),
  v.object({ type: v.literal('login-start'), id: f.requestId, user: f.userName, request: f.opaqueBytes(256) }),
  v.object({ type: v.literal('login-finish'), id: f.requestId, finish: f.opaqueBytes(256), proof: f.mac }),
  v.object({ type: v.literal('resume'), id: f.requestId, user: f.userName, signature: f.signature }),
  v.object({ type: v.literal('list'), id: f.requestId, prefix: v.optional(f.userPrefix, ''), after: v.optional(f.userName) }),
  v.object({ type: v.literal('connect'), id: f.requestId, to: f.userName, reach: f.reach }),
  v.object({ type: v.literal('answer'), introduction: f.introductionId, reach: v.nullable(f.reach) }),
  v.object({ type: v.literal('away'), id: f.requestId, text: v.optional(v.pipe(f.awayText, v.minLength(1))) }),
  v.object({ type: v.literal('watch'), id: f.requestId, users: v.pipe(v.array(f.userName), v.maxLength(serverLimits.watchedPerLink)) }),
  v.object({ type: v.literal('ping') }),
  v.object({ type: v.literal('pong') }),
  v.object({ type: v.literal('bye') }),
]);
export type ClientMessage = v.InferOutput<typeof ClientMessage>;

const peerIdentity = v.object({ user: f.userName, fingerprint: f.fingerprint });

/** Server to client. */
export const ServerMessage = v.variant('type', [
  v.object({ type: v.literal('hello'), version: f.version, features: f.features, agent: f.agent }),
  v.object({ type: v.literal('name-free'), id: f.requestId }),
  v.object({ type: v.literal('register-response'), id: f.requestId, response: f.opaqueBytes(256) }),
  v.object({ type: v.literal('registered'), id: f.requestId }),
  v.object({ type: v.literal('login-response'), id: f.requestId, response: f.opaqueBytes(1024) }),
  v.object({
    type: v.literal('welcome'),
    id: f.requestId,
    user: f.userName,
    publicKey: f.publicKey,
    sealedKey: f.sealedKey,
    proof: v.optional(f.mac),
    observed: v.object({ address: f.address, port: f.port }),
  }),
  v.object({
    type: v.literal('clients'),
    id: f.requestId,
    clients: v.pipe(v.array(f.userName), v.maxLength(serverLimits.listPage)),
    total: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    next: v.optional(f.userName),
    away: v.optional(v.pipe(v.array(v.object({ user: f.userName, text: f.awayText })), v.maxLength(serverLimits.listPage))),
  }),
  v.object({ type: v.literal('away-set'), id: f.requestId }),
  v.object({
    type: v.literal('watching'),
    id: f.requestId,
    present: v.pipe(v.array(v.object({ user: f.userName, away: v.optional(f.awayText) })), v.maxLength(serverLimits.watchedPerLink)),
  }),
  v.object({ type: v.literal('presence'), user: f.userName, state: v.picklist(['online', 'away', 'offline']), text: v.optional(f.awayText) }),
  v.object({ type: v.literal('asked'), introduction: f.introductionId, from: peerIdentity }),
  v.object({
    type: v.literal('introduction'),
    id: v.optional(f.requestId),
    introduction: f.introductionId,
    role: v.picklist(['asker', 'answerer']),
    peer: peerIdentity,
    candidates: f.candidates,
  }),
  v.object({ type: v.literal('error'), id: v.optional(f.requestId), code: f.wireCode, message: f.freeText }),
  v.object({ type: v.literal('ping') }),
  v.object({ type: v.literal('pong') }),
  v.object({ type: v.literal('bye'), code: f.wireCode, message: f.freeText }),
]);
export type ServerMessage = v.InferOutput<typeof ServerMessage>;

/** A message of one type, for example `ClientMessageOf<'connect'>`. */
export type ClientMessageOf<TType extends ClientMessage['type']> = Extract<ClientMessage, { type: TType }>;
export type ServerMessageOf<TType extends ServerMessage['type']> = Extract<ServerMessage, { type: TType }>;

/** States of a server link as the server sees it. */
export type ServerLinkState = 'hello' | 'anonymous' | 'registering' | 'proving' | 'ready';

/** Which message a client may send in which state, and the state that follows when it is granted (PROTOCOL.md 5.6). */
const TRANSITIONS: Record<ServerLinkState, Partial<Record<ClientMessage['type'], ServerLinkState>>> = {
  hello: { hello: 'anonymous', bye: 'hello' },
  anonymous: {
    'name-check': 'anonymous',
    'register-start': 'registering',
    'login-start': 'proving',
    resume: 'ready',
    ping: 'anonymous',
    pong: 'anonymous',
    bye: 'anonymous',
  },
  registering: { 'register-finish': 'anonymous', 'name-check': 'anonymous', ping: 'registering', pong: 'registering', bye: 'registering' },
  proving: { 'login-finish': 'ready', 'login-start': 'proving', ping: 'proving', pong: 'proving', bye: 'proving' },
  ready: { list: 'ready', connect: 'ready', answer: 'ready', away: 'ready', watch: 'ready', ping: 'ready', pong: 'ready', bye: 'ready' },
};

/**
 * The state after a granted message. A refused one (an `error` reply) leads back to `anonymous`, from `ready` to `ready`.
 *
 * @throws RemoteViolation `unexpected-message` when the message is not legal in `state`.
 */
export function nextServerLinkState(state: ServerLinkState, type: ClientMessage['type']): ServerLinkState {
  const next = TRANSITIONS[state][type];
  if (next === undefined) throw new RemoteViolation('unexpected-message', `"${type}" is not allowed now.`);
  return next;
}

export function parseClientMessage(body: Uint8Array): ClientMessage {
  return f.parseMessage(ClientMessage, parseJson(body));
}

export function parseServerMessage(body: Uint8Array): ServerMessage {
  return f.parseMessage(ServerMessage, parseJson(body));
}

/** A whole frame, ready to be written. */
export function encodeServerLinkMessage(message: ClientMessage | ServerMessage): Uint8Array {
  return jsonFrame(encodeJson(message));
}
