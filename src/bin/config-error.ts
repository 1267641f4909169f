/** How every mistake in `config.json` is told: the file, what is wrong, where help is. */
import { P2pError } from '../protocol/errors.js';
import { visibleLine } from '../protocol/text.js';

/** @param why Begins with the line, where there is one; without a full stop. */
export function badConfig(path: string, why: string, cause?: unknown): P2pError {
  return new P2pError('usage', `${visibleLine(path)}: ${why}. The README shows an example.`, { cause });
}
