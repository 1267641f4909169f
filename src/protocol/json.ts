/**
 * JSON as PROTOCOL.md 3 allows it: UTF-8, one object, bounded depth, no duplicate key, no `__proto__`, finite numbers.
 *
 * Owns the strictness that JSON.parse lacks; what a message must contain is the business of the message schemas.
 */
import { RemoteViolation } from './errors.js';
import { jsonLimits } from './limits.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses the body of a JSON frame.
 *
 * @throws RemoteViolation `bad-message` for anything that section 3 forbids.
 */
export function parseJson(body: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch (cause) {
    throw new RemoteViolation('bad-message', 'A message is not valid UTF-8.', { cause });
  }
  const keys = countKeys(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RemoteViolation('bad-message', 'A message is not valid JSON.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RemoteViolation('bad-message', 'A message must be one JSON object.');
  }
  // JSON.parse lets the last of two equal keys win, so that two readers may see two messages; then fewer are left than were written.
  if (checkedKeys(value) !== keys) throw new RemoteViolation('bad-message', 'A message has a repeated key.');
  return value as Record<string, unknown>;
}

/** Encodes a message; the counterpart of {@link parseJson}. */
export function encodeJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The keys of a text that may be JSON: colons outside strings. Depth is counted here, before JSON.parse recurses into it. One
 * pass over characters: long lists of entries come through here, and a pattern with back-tracking takes quadratic time on
 * `"\\"\\"\\"…` without an end.
 */
function countKeys(text: string): number {
  let depth = 0;
  let keys = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at += 1;
      while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    } else if (char === COLON) keys += 1;
    else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      depth += 1;
      if (depth > jsonLimits.maxDepth) throw new RemoteViolation('bad-message', 'A message is nested too deeply.');
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) depth -= 1;
  }
  return keys;
}

/** The keys in a parsed value at any depth, of which none may be `__proto__`. JSON.parse turns 1e999 into Infinity, which is refused too. */
function checkedKeys(value: unknown): number {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RemoteViolation('bad-message', 'A number is out of range.');
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const inner of value) keys += checkedKeys(inner);
    return keys;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') throw new RemoteViolation('bad-message', 'A message has a forbidden key.');
    keys += 1 + checkedKeys(inner);
  }
  return keys;
}
