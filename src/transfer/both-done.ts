/**
 * One promise for all work that is under way, however much of it there is in the life of a transfer.
 *
 * Owns that nothing piles up: what `Promise.all` resolves with holds what the one before resolved with, and so on, which for
 * a large file, or for a peer that asks and asks, is memory without bound.
 */

/** Resolves with nothing when both have. Rejects with what the first rejects with. */
export async function bothDone(one: Promise<unknown>, other: Promise<unknown>): Promise<void> {
  await Promise.all([one, other]);
}
