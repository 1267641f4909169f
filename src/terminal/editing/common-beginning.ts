/**
 * What several candidates begin with alike. Pure. How they are listed in columns is the screen's affair.
 */

/** The longest beginning of all `words`, never half a character. */
export function commonBeginning(words: readonly string[]): string {
  const [first = '', ...others] = words;
  let length = first.length;
  for (const word of others) {
    let same = 0;
    while (same < length && word.charCodeAt(same) === first.charCodeAt(same)) same += 1;
    length = same;
  }
  const common = first.slice(0, length);
  return common.isWellFormed() ? common : common.slice(0, -1);
}
