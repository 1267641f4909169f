/**
 * What becomes of an offer without a person: `--accept`, `--accept-from`, `--max-file`. Pure.
 */
import { TransferFailure } from './failure.js';
import type { Outlook, Wanted } from './store/store.js';

/** What is done with offers: a person decides, all are taken, none is. */
export type AcceptPolicy = 'ask' | 'all' | 'none';

export interface OfferPolicy {
  readonly accept: AcceptPolicy;
  /** With `all`: canonical names of those whose offers are taken; undefined: everybody's. */
  readonly acceptFrom: readonly string[] | undefined;
  /** With `all`: larger offers are not taken, bytes; undefined: no limit. */
  readonly maxFile: number | undefined;
  /** What becomes of offers that the two leave out. */
  readonly otherwise: 'ask' | 'none';
}

export type Decision = 'ask' | 'accepted' | TransferFailure;

/**
 * @param peer Canonical name of the sender.
 * @param outlook Undefined while the disk has not been looked at: what it says is then left out.
 */
export function decide(policy: OfferPolicy, peer: string, wanted: Wanted, outlook: Outlook | undefined): Decision {
  switch (policy.accept) {
    case 'ask':
      return 'ask';
    case 'none':
      return new TransferFailure('rejected-by-policy', 'The receiver takes no files.');
    case 'all': {
      const failure = leftOut(policy, peer, wanted) ?? tooFull(wanted, outlook);
      if (failure === undefined) return 'accepted';
      return policy.otherwise === 'ask' ? 'ask' : failure;
    }
  }
}

function leftOut({ acceptFrom, maxFile }: OfferPolicy, peer: string, { size }: Wanted): TransferFailure | undefined {
  if (acceptFrom !== undefined && !acceptFrom.includes(peer)) return new TransferFailure('rejected-by-policy', 'The receiver takes no files from this sender.');
  if (maxFile === undefined) return undefined;
  // What has no size could have any.
  if (size === null) return new TransferFailure('too-large', 'The receiver takes no files of unknown size.');
  return size > maxFile ? new TransferFailure('too-large', `The receiver takes no more than ${maxFile} bytes at once.`) : undefined;
}

/** Where nobody is there to make room, it is better said now than when the disk is full. */
function tooFull({ size }: Wanted, outlook: Outlook | undefined): TransferFailure | undefined {
  if (outlook?.free === undefined || outlook.same || outlook.exists) return undefined;
  const missing = (size ?? 0) - outlook.partial;
  return missing > outlook.free ? new TransferFailure('disk-full', `The receiver has room for ${outlook.free} bytes only.`) : undefined;
}
