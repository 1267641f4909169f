/**
 * Safety numbers (PROTOCOL.md 6.5): what two people compare over another channel to be sure that nobody sits between them.
 *
 * Pure: names and fingerprints in, digits and words out. Each of the two has a part of its own, so whoever wants to pass for one of
 * them has to hit that person's part, and gains nothing from choosing both of his keys. Who was verified is in pins.ts.
 */
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { canonicalUserName } from '../protocol/names.js';
import { label } from '../protocol/version.js';

/** As of OWASP for PBKDF2-HMAC-SHA512, rounded down to a power of two: 2^17 steps make every guess of an attacker as much dearer. */
const ITERATIONS = 2 ** 17;
const PART_BYTES = 64;

/** Signal's form: 5 bytes make a group of 5 digits (https://signal.org/docs/specifications, numeric fingerprint). 99 bits for each person. */
const GROUPS = 6;
const GROUP_BYTES = 5;

/** 11 bits each, so 77 bits for each person, taken from bytes of which the digits tell nothing. */
const WORDS = 7;
const WORD_BITS = 11;
const WORD_OFFSET = GROUPS * GROUP_BYTES;
const WORD_BYTES = Math.ceil((WORDS * WORD_BITS) / 8);

/** Somebody and the key that this somebody is held to have. */
export interface Person {
  readonly user: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

/** One person's half. */
export interface SafetyPart {
  readonly user: string;
  /** 6 groups of 5 digits. */
  readonly digits: readonly string[];
  /** 7 words of the English BIP 39 list, of 3 to 8 letters; the first four letters tell them apart. */
  readonly words: readonly string[];
}

/** The two halves in the order of the canonical names, so that both people see the same. */
export type SafetyNumber = readonly [SafetyPart, SafetyPart];

/** The same for both, whoever asks, on whatever address they reach the server. Takes about 0.1 s, in the thread pool. */
export async function safetyNumber(one: Person, other: Person): Promise<SafetyNumber> {
  const [first, second] = [one, other].sort((a, b) => (canonicalUserName(a.user) < canonicalUserName(b.user) ? -1 : 1));
  if (first === undefined || second === undefined) throw new Error('a pair lost a half');
  return await Promise.all([partOf(first), partOf(second)]);
}

async function partOf({ user, fingerprint }: Person): Promise<SafetyPart> {
  const key = Buffer.from(fingerprint.replace(/^SHA256:/u, ''), 'base64');
  const salt = Buffer.from(`${label.safetyNumber}\0${canonicalUserName(user)}`);
  const bytes = await promisify(pbkdf2)(key, salt, ITERATIONS, PART_BYTES, 'sha512');
  return { user, digits: digitsOf(bytes), words: await wordsOf(bytes) };
}

function digitsOf(bytes: Buffer): string[] {
  return Array.from({ length: GROUPS }, (_, group) => String(bytes.readUIntBE(group * GROUP_BYTES, GROUP_BYTES) % 100_000).padStart(5, '0'));
}

/** The list is loaded at first use: hardly any start of the program needs it. */
async function wordsOf(bytes: Buffer): Promise<string[]> {
  const { wordlist } = await import('@scure/bip39/wordlists/english');
  const bits = [...bytes.subarray(WORD_OFFSET, WORD_OFFSET + WORD_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: WORDS }, (_, at) => wordlist[Number.parseInt(bits.slice(at * WORD_BITS, (at + 1) * WORD_BITS), 2)] ?? '');
}
