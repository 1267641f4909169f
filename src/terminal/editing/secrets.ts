/**
 * Which typed lines are not written to the history file, because they look like a secret. Pure.
 *
 * It errs towards leaving out: a line too many costs a little typing, a password on disk may cost everything. Nothing
 * here promises that every secret is noticed; whoever wants to be sure begins the line with a space.
 */
import { commandNamed } from '../command-table.js';

/** What keys and tokens of well-known makers begin with; each is as its maker documents it for secret scanners. */
const TOKENS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/u,
  /\bAGE-SECRET-KEY-1/iu,
  /\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16,}/u,
  /\bgl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_-]{16,}/u,
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/u,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/u,
  /\bAIza[A-Za-z0-9_-]{30,}/u,
  /\bya29\.[A-Za-z0-9_-]{16,}/u,
  /\b(?:sk|rk|pk)[-_](?:live|test|ant|proj)?[-_]?[A-Za-z0-9_-]{16,}/u,
  /\b(?:npm|hf|pypi|dop_v1|shpat|whsec)[_-][A-Za-z0-9_-]{16,}/u,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/u,
  // A JSON Web Token: two JSON objects in base64url begin so (RFC 7519).
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}/u,
  // A user and a password inside an address (RFC 3986 section 3.2.1).
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/iu,
  /\b(?:Authorization\s*:|Bearer\s+[A-Za-z0-9._~+/-]{16,})/iu,
];

const SECRET_WORD = String.raw`pass(?:word|wd|phrase|code)s?|pwd?|pin(?:-?code)?|secret(?:[_ -]?key)?s?|(?:api|access|auth|bearer|refresh|session)[_ -]?(?:key|token)s?|token|private[_ -]?key|recovery[_ -]?(?:codes?|key|phrase)|seed[_ -]?phrase|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|senha|wachtwoord|parola|пароль|密码|パスワード`;

/** `password: x`, `DB_PASSWORD=x`, `the pin is 1234`, `--password x`. */
const NAMED: readonly RegExp[] = [
  new RegExp(String.raw`(?<![\p{L}\p{N}])(?:[A-Za-z0-9]+[_-])*(?:${SECRET_WORD})["']?\s*(?:[:=：]|=>)\s*\S`, 'iu'),
  new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${SECRET_WORD})\s+(?:is|was|are|will be|ist|lautet|est|es|é)(?:\s*[:=]\s*|\s+)(?!(?:not|wrong|nicht|pas|no)\b)\S`, 'iu'),
  new RegExp(String.raw`(?:^|\s)--?(?:${SECRET_WORD})\s+\S`, 'iu'),
];

/** Letters of base64, base64url and hex: a word of so many that is none of a language. */
const OPAQUE_WORD = /^[A-Za-z0-9+/_=-]{20,}$/u;
/** One word alone on the line, as a password that was typed in the wrong window. */
const LONE_WORD = /^\S{8,64}$/u;

/** Whether `line` is to stay out of the history file. */
export function looksSecret(line: string): boolean {
  // As in shells: who begins with a space does not want it kept.
  if (/^\s/u.test(line)) return true;
  if (TOKENS.some((token) => token.test(line))) return true;
  if (takesNoText(line)) return false;
  if (NAMED.some((named) => named.test(line))) return true;
  return line.split(/\s+/u).some(isOpaque) || looksLikePassword(line.trim());
}

/** Commands whose argument is a name, a number or a path: there a word of many kinds of letters is nothing unusual. */
function takesNoText(line: string): boolean {
  const name = commandNamed(/^[#/]?[A-Za-z_-]+/u.exec(line)?.[0] ?? '');
  return name !== undefined && !/\n/u.test(line) && !/^(?:AWAY|SAY)/u.test(name);
}

/** Without a language's look: letters of both cases and digits mixed, or hex of a key's length. */
function isOpaque(word: string): boolean {
  // Fingerprints and sums of files are made to be shown.
  if (/^(?:SHA256:|blake3:|sha\d+:)/iu.test(word) || !OPAQUE_WORD.test(word)) return false;
  if (/^(?:0x)?[0-9a-f]{32,}$/iu.test(word)) return true;
  if (!/[a-z]/u.test(word) || !/[A-Z]/u.test(word) || !/\d/u.test(word)) return false;
  // CamelCase2Names change kind once a word, a capital and what follows it counted as one; random letters far more often.
  let changes = 0;
  for (let at = 1; at < word.length; at += 1) {
    const [before, now] = [kindOf(word.charAt(at - 1)), kindOf(word.charAt(at))];
    if (before !== now && !(before === 'capital' && now === 'small')) changes += 1;
  }
  return changes >= word.length / 6;
}

/** Three of four kinds of characters in one word that is alone, its last sign not counted: `Tr0ub4dor&3`, but not `Tomorrow?`. */
function looksLikePassword(line: string): boolean {
  if (!LONE_WORD.test(line) || line.startsWith('/') || line.startsWith('#') || /:\/\//u.test(line)) return false;
  const word = line.replace(/[\p{P}\p{S}]+$/u, '');
  if (word.length < 8) return false;
  return new Set(Array.from(word, (letter) => kindOf(letter))).size >= 3 && /^[\x21-\x7e]+$/u.test(word);
}

function kindOf(letter: string): 'small' | 'capital' | 'digit' | 'other' {
  if (/\p{Ll}/u.test(letter)) return 'small';
  if (/\p{Lu}/u.test(letter)) return 'capital';
  return /\d/u.test(letter) ? 'digit' : 'other';
}
