/**
 * The fields that messages are made of, as valibot schemas (PROTOCOL.md 4), and the parse step that turns a failed
 * schema into a {@link RemoteViolation}.
 *
 * Owns the shape of single values; which fields make which message stands in server-messages.ts and peer-messages.ts.
 */
import * as v from 'valibot';
import { RemoteViolation, TRANSFER_CODES, WIRE_CODES } from './errors.js';
import { peerLimits, serverLimits, textLimits, transferLimits } from './limits.js';
import { isUserName } from './names.js';

/** Request id: chosen by the asking side, repeated in the reply. */
export const requestId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export const userName = v.pipe(v.string(), v.check(isUserName, 'not a user name'));

/** A prefix of a user name; the empty one matches everybody. */
export const userPrefix = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{0,32}$/u));

/** base64url without padding, RFC 4648 section 5; `maxBytes` of the decoded value. */
export function opaqueBytes(maxBytes: number) {
  return v.pipe(v.string(), v.maxLength(Math.ceil((maxBytes * 4) / 3)), v.regex(/^[A-Za-z0-9_-]+$/u));
}

/** Random 128-bit id of an introduction. */
export const introductionId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/u));

/** `SHA256:` and the base64 of 32 bytes without padding, as OpenSSH prints it. */
export const fingerprint = v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9+/]{43}$/u));

export const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** An IP address in text form without zone; checked further by candidates.ts, since shape alone says nothing about safety. */
export const address = v.pipe(v.string(), v.maxLength(45), v.excludes('%'), v.union([v.pipe(v.string(), v.ipv4()), v.pipe(v.string(), v.ipv6())]));

export const candidate = v.object({ address, port });
export type Candidate = v.InferOutput<typeof candidate>;
export const candidates = v.pipe(v.array(candidate), v.maxLength(peerLimits.candidates));

/** Where a client says it can be reached: its listen port at the address that the server sees, and addresses of its own networks. */
export const reach = v.object({ port, candidates });
export type Reach = v.InferOutput<typeof reach>;

export const version = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
export const versions = v.pipe(v.array(version), v.minLength(1), v.maxLength(8));
export const features = v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(32));
export const agent = v.pipe(v.string(), v.maxLength(textLimits.agentChars));

export const wireCode = v.picklist(WIRE_CODES);
export const transferCode = v.picklist(TRANSFER_CODES);

/** JSON can write half a surrogate pair, which no text is and strict readers of our own JSON output refuse. */
const wellFormed = v.transform((text: string) => text.toWellFormed());

/** Words for a person. Neutralised before a terminal sees it (text.ts), so any characters are legal here. */
export const freeText = v.pipe(v.string(), v.maxLength(textLimits.errorMessageChars), wellFormed);

/** What somebody who is away says about it; neutralised before a terminal sees it. Empty only where a server had no room for it. */
export const awayText = v.pipe(v.string(), v.maxLength(textLimits.awayChars), wellFormed);

/** Transfer id, chosen by the sender of the file, unique in the session among its own. */
export const transferId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff_ffff));

/** Bytes of a file, or an offset in one. */
export const byteCount = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(transferLimits.fileBytes));

/** A number of files or entries, or the index of an entry. */
export const entryCount = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(transferLimits.folderEntries));

/** Modification time, milliseconds since 1970 in UTC; within what a Date can hold. */
export const modified = v.pipe(v.number(), v.integer(), v.minValue(-8.64e15), v.maxValue(8.64e15));

/** Any string: protocol/names.ts decides, so that a bad name fails one offer or entry and not the link. */
export const anyName = v.pipe(v.string(), v.maxLength(1024));

/** BLAKE3-256, lower-case hexadecimal. */
export const blake3Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));

export const sealedKey = opaqueBytes(serverLimits.sealedKeyBytes);

/** Ed25519 public key, SPKI DER (44 bytes, RFC 8410). */
export const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{59}$/u));

/** Ed25519 signature, 64 bytes. */
export const signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/u));

/** HMAC-SHA256, 32 bytes. */
export const mac = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/u));

export const chatText = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((text) => Buffer.byteLength(text, 'utf8') <= textLimits.chatBytes, 'too long'),
  wellFormed,
);

/**
 * A message of `schema` out of parsed JSON.
 *
 * @throws RemoteViolation `bad-message`, naming the field, never its content.
 */
export function parseMessage<TSchema extends v.GenericSchema>(schema: TSchema, value: unknown): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const field = v.getDotPath(result.issues[0]) ?? 'type';
  throw new RemoteViolation('bad-message', `A message has a missing or wrong field: ${field.slice(0, 40)}.`);
}
