/**
 * The two name rules: user names, and the one rule for file names that come from the other side (PROTOCOL.md 4.1, 7.6).
 *
 * Pure: no file system is asked. Joining a name to a path anywhere without {@link safeFileName} is a bug.
 */
import { textLimits } from './limits.js';

const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/u;

export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

/** The form in which names are compared: unique without regard to case. ASCII only, so no locale is involved. */
export function canonicalUserName(name: string): string {
  return name.toLowerCase();
}

/** Names that Windows reserves in every folder, with any extension, spaces in front of it or not (Microsoft, "Naming Files, Paths, and Namespaces"). */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)/iu;

/** Separators, the characters that Windows forbids, and everything that a terminal or a reader may be fooled with. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]/gu;

/**
 * The name under which a received file is stored, or undefined where no safe one can be made and the offer must be refused.
 *
 * Names that mean a path (`/`, `\`, a drive, a stream `a:s`), `.` and `..` are refused rather than mended: their sender is
 * broken or hostile. Everything else is made safe: NFC, forbidden characters to `_`, no trailing dot or space, no leading
 * dot, no reserved name, at most 240 bytes with the extension kept.
 *
 * @param place `inside` a received folder leading dots stay, if anything is behind them: what programs keep there (`.git`) is part of the folder, and
 * nothing looks for it there; at the `top` it would be hidden from the person.
 */
export function safeFileName(name: string, place: 'top' | 'inside' = 'top'): string | undefined {
  if (!name.isWellFormed() || name === '' || name === '.' || name === '..' || /[\\/:\0]/u.test(name)) return undefined;
  let safe = name.normalize('NFC').replace(FORBIDDEN, '_');
  // Dots alone would all go with the tail, and nothing would be left.
  const dotsStay = place === 'inside' && /[^\s.]/u.test(safe);
  safe = safe.replace(dotsStay ? /^\s+/u : /^[\s.]+/u, (lead) => '_'.repeat(Math.min(lead.length, 3)));
  safe = cutFileName(safe);
  if (RESERVED.test(safe)) safe = cutFileName(`_${safe}`);
  return safe === '' ? undefined : safe;
}

/** `name (n).ext`; what stands behind the last dot is the extension, `.tar.gz` and the like kept together. */
export function numberedFileName(name: string, n: number): string {
  const { stem, extension } = splitExtension(name);
  return `${stem} (${n})${extension}`;
}

function splitExtension(name: string): { stem: string; extension: string } {
  const match = /^(?<stem>.+?)(?<extension>(?:\.tar)?\.[^.\s]{1,16})$/u.exec(name);
  return { stem: match?.groups?.['stem'] ?? name, extension: match?.groups?.['extension'] ?? '' };
}

/** At most `textLimits.fileNameBytes` of UTF-8, cut between code points in front of the extension; no dot or space at the end. */
function cutFileName(name: string): string {
  if (Buffer.byteLength(name) <= textLimits.fileNameBytes) return withoutTail(name);
  const { stem, extension } = splitExtension(name);
  const room = textLimits.fileNameBytes - Buffer.byteLength(extension);
  let bytes = 0;
  let cut = '';
  for (const point of stem) {
    bytes += Buffer.byteLength(point);
    if (bytes > room) break;
    cut += point;
  }
  return withoutTail(cut + extension);
}

function withoutTail(name: string): string {
  return name.replace(/[\s.]+$/u, '');
}
