/**
 * Makes text from others safe and honest to show in a terminal (HOSTILE 20 to 23): what a terminal would execute, what
 * reorders, what hides and what piles up becomes visible ASCII such as `\x1b`, `\u202e`.
 *
 * Pure, one pass, no memory of earlier calls. ASCII notation and not control pictures, because the UTF-8 bytes of those
 * are themselves C1 controls to a terminal that is not in UTF-8 mode. Ordinary writing is left as it is: accents, Arabic
 * and Indic joiners, emoji sequences. Who speaks, and colours, are the business of terminal/.
 */
import { textLimits } from './limits.js';

/** Controls, lone surrogates, line and paragraph separators, noncharacters; everything invisible or reordering. */
const SUSPECT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}\p{NChar}]/u;
const PLAIN = /^[\x20-\x7e]*$/u;

/** Format characters of Unicode that have a glyph of their own (Prepended_Concatenation_Mark). */
const VISIBLE_FORMAT = /[\u{600}-\u{605}\u{6dd}\u{70f}\u{890}\u{891}\u{8e2}\u{110bd}\u{110cd}]/u;
/** Marks that take no cell of their own and so can pile up without end. */
const MARK = /[\p{Mn}\p{Me}]/u;
const PICTOGRAPH = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]/u;
const EMOJI = /\p{Emoji}/u;
const HAN = /\p{Script=Han}/u;
const MONGOLIAN = /\p{Script=Mongolian}/u;

/** Scripts in which the joiners U+200C and U+200D change the shape of letters and belong to ordinary spelling. */
const JOINING_SCRIPT =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Flags of regions: a black flag, tag letters, the cancel tag (UTS 51, emoji tag sequence). */
const TAG_FLAG = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{2,6}\u{e007f}/uy;

const ZERO_WIDTH_NON_JOINER = '\u200c';
const ZERO_WIDTH_JOINER = '\u200d';

/** What stands in front of a mark that has no base, so that it cannot settle on text of the program. */
const DOTTED_CIRCLE = '\u25cc';

const LINE_BREAK = /\r\n|[\n\u0085\u2028\u2029]/u;

/**
 * One line that cannot become two: for user names, file names, error texts, log lines.
 *
 * @param text Anything, well-formed or not.
 * @returns Text of which a terminal executes nothing and in which nothing is hidden. It is idempotent.
 */
export function visibleLine(text: string): string {
  return PLAIN.test(text) ? text : neutralise(text);
}

/**
 * The lines of a chat message, never none, each safe as in {@link visibleLine}. Every one of them must be shown with its
 * speaker. Tabs become spaces, since people paste code; a lone `\r` is shown, never obeyed.
 */
export function visibleLines(text: string): string[] {
  return text.split(LINE_BREAK).map((line) => visibleLine(line.replaceAll('\t', '    ')));
}

function neutralise(text: string): string {
  let shown = '';
  /** The last code point that was shown as itself. */
  let previous = '';
  let marks = 0;
  let joins = 0;
  for (let at = 0; at < text.length; ) {
    const flag = matchAt(TAG_FLAG, text, at);
    if (flag !== undefined) {
      shown += flag;
      previous = '';
      marks = 0;
      at += flag.length;
      continue;
    }
    const point = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += point.length;
    if (SUSPECT.test(point) && !VISIBLE_FORMAT.test(point)) {
      if (isSelector(point, previous) && marks < textLimits.combiningMarks) {
        marks += 1;
        shown += point;
        continue;
      }
      if (isJoiner(point, previous, text, at) && joins < textLimits.combiningMarks) {
        joins += 1;
        shown += point;
        // A second joiner in a row finds no letter in front of it and is shown.
        previous = point;
        continue;
      }
      shown += escapePoint(point);
      previous = '';
      marks = 0;
      joins = 0;
      continue;
    }
    if (MARK.test(point)) {
      marks += 1;
      if (marks > textLimits.combiningMarks) continue;
      if (previous === '') shown += DOTTED_CIRCLE;
      shown += point;
      // Virama and its like: what follows looks at the script, which marks of joining scripts carry as well.
      if (JOINING_SCRIPT.test(point) || previous === '') previous = point;
      continue;
    }
    if (previous !== ZERO_WIDTH_JOINER && !PICTOGRAPH.test(point)) joins = 0;
    marks = 0;
    shown += point;
    previous = point;
  }
  return shown;
}

/** Variation selectors where they select something: emoji or text style, Han and Mongolian glyph variants. */
function isSelector(point: string, previous: string): boolean {
  if (previous === '') return false;
  if (point === '\ufe0e' || point === '\ufe0f') return EMOJI.test(previous);
  if (/[\ufe00-\ufe02\u{e0100}-\u{e01ef}]/u.test(point)) return HAN.test(previous);
  return /[\u180b-\u180d\u180f]/u.test(point) && MONGOLIAN.test(previous);
}

/** A joiner between two pictographs, or inside a word of a script that writes with them. */
function isJoiner(point: string, previous: string, text: string, next: number): boolean {
  if (point !== ZERO_WIDTH_JOINER && point !== ZERO_WIDTH_NON_JOINER) return false;
  if (JOINING_SCRIPT.test(previous)) return true;
  const following = text.codePointAt(next);
  return point === ZERO_WIDTH_JOINER && PICTOGRAPH.test(previous) && following !== undefined && PICTOGRAPH.test(String.fromCodePoint(following));
}

/** Words of another inside a sentence of ours: in quotation marks that they cannot close (HOSTILE 22). */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', "'")}"`;
}

function escapePoint(point: string): string {
  const value = point.codePointAt(0) ?? 0;
  if (point === '\n') return '\\n';
  if (point === '\r') return '\\r';
  if (point === '\t') return '\\t';
  if (value <= 0xff) return `\\x${value.toString(16).padStart(2, '0')}`;
  if (value <= 0xffff) return `\\u${value.toString(16).padStart(4, '0')}`;
  return `\\u{${value.toString(16)}}`;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
