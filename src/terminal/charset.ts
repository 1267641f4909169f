/**
 * What a terminal can show: whether it is in UTF-8, and text for one that is not. Pure.
 *
 * Node writes UTF-8 whatever the surroundings say, and a terminal that is not in UTF-8 shows each of its bytes as another
 * sign, some of them as control characters. So there nothing but ASCII may go out.
 */

/** The signs of the program itself, and those of everyday writing, as people write them without. */
const IN_ASCII: Readonly<Record<string, string>> = {
  '→': '->',
  '←': '<-',
  '↑': '^',
  '↓': 'v',
  '…': '...',
  '⏎': '\\n',
  '–': '-',
  '—': '--',
  '“': '"',
  '”': '"',
  '„': '"',
  '‘': "'",
  '’': "'",
  '·': '.',
  '•': '*',
  '×': 'x',
  '✓': '+',
  '\u00a0': ' ',
};

const NOT_ASCII = /[^\x00-\x7f]/gu;

/**
 * Whether characters beyond ASCII arrive, as the C library decides it: the first of LC_ALL, LC_CTYPE and LANG that is not
 * empty names the encoding. Where all are missing nothing was said (containers, services, Windows), and UTF-8 is the rule.
 */
export function isUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/iu.test(locale);
}

/** `漢` → `\u6f22`, in the notation of protocol/text.ts; the signs of the program → what stands for them. */
export function inAscii(text: string): string {
  return text.replace(NOT_ASCII, (point) => IN_ASCII[point] ?? escaped(point));
}

function escaped(point: string): string {
  const value = point.codePointAt(0) ?? 0;
  const digits = value.toString(16);
  if (value <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return value <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}
