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
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RemoteViolation('bad-message', 'A message is not valid JSON.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RemoteViolation('bad-message', 'A message must be one JSON object.');
  }
  checkNumbers(value);
  checkKeys(text);
  return value as Record<string, unknown>;
}

/** Encodes a message; the counterpart of {@link parseJson}. */
export function encodeJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** Depth is counted on the text, before JSON.parse recurses into it. */
function checkDepth(text: string): void {
  let depth = 0;
  for (const { token } of tokens(text)) {
    if (token === '{' || token === '[') {
      depth += 1;
      if (depth > jsonLimits.maxDepth) throw new RemoteViolation('bad-message', 'A message is nested too deeply.');
    } else if (token === '}' || token === ']') depth -= 1;
  }
}

/** JSON.parse turns 1e999 into Infinity. */
function checkNumbers(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RemoteViolation('bad-message', 'A number is out of range.');
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) checkNumbers(inner);
}

/** JSON.parse lets the last of two equal keys win, so that two readers may see two messages. The text is valid JSON here. */
function checkKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (const { token, key } of tokens(text)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (key) {
      const name = JSON.parse(token) as string;
      const seen = open.at(-1);
      if (name === '__proto__' || seen?.has(name) === true) {
        throw new RemoteViolation('bad-message', 'A message has a forbidden or repeated key.');
      }
      seen?.add(name);
    }
  }
}

/**
 * Brackets and strings of a text that may be JSON; a string followed by a colon is a key. One pass: a pattern with
 * back-tracking takes quadratic time on `"\\"\\"\\"…` without an end.
 */
function* tokens(text: string): Generator<{ token: string; key: boolean }> {
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '{' || char === '}' || char === '[' || char === ']') yield { token: char, key: false };
    if (char !== '"') continue;
    const start = at;
    at += 1;
    while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
    let after = at + 1;
    while (/\s/u.test(text.charAt(after))) after += 1;
    yield { token: text.slice(start, at + 1), key: text.charAt(after) === ':' };
  }
}
