/**
 * Whether arguments ask for something else than a run: `completion SHELL`, `man-page`. These words stand where a host would; a
 * host of that name is reached with its port behind it.
 */

/** Told without loading what a verb needs. */
export function isVerb([verb, argument, ...more]: readonly string[]): boolean {
  if (more.length > 0 || (argument !== undefined && /^\d/u.test(argument))) return false;
  return verb === 'completion' || (verb === 'man-page' && argument === undefined);
}
