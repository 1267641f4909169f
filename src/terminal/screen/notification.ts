/**
 * A notification of the desktop, or the bell, as the bytes that a terminal makes it from. Pure.
 */
import { visibleLine } from '../../protocol/text.js';
import { inAscii } from '../charset.js';
import type { NotificationKind } from './terminal-kind.js';

export const BELL = '\x07';

/** More is not shown by any desktop. Clusters of others are never cut in a way that matters here. */
const MOST_CHARS = 200;

/** The bell comes with it, since who is told by sound wants that always. @param utf8 Whether more than ASCII arrives. */
export function notificationText(kind: NotificationKind, title: string, text: string, utf8: boolean): string {
  const safe = (given: string) => {
    const visible = Array.from(visibleLine(given)).slice(0, MOST_CHARS).join('');
    return utf8 ? visible : inAscii(visible);
  };
  switch (kind) {
    case 'none':
      return BELL;
    case 'osc9':
      // Some take a number in front for a command of theirs; behind words it is text.
      return `\x1b]9;- ${safe(title)}: ${safe(text)}${BELL}${BELL}`;
    case 'osc777':
      // A semicolon would end the title.
      return `\x1b]777;notify;${safe(title).replaceAll(';', ',')};${safe(text)}${BELL}${BELL}`;
  }
}
