/** What becomes of offers without a person. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TransferFailure } from '../../src/transfer/failure.js';
import { decide, type OfferPolicy } from '../../src/transfer/offer-policy.js';
import type { Outlook, Wanted } from '../../src/transfer/store/store.js';

const all: OfferPolicy = { accept: 'all', acceptFrom: undefined, maxFile: undefined, otherwise: 'none' };
const file: Wanted = { fingerprint: 'SHA256:x', peer: 'Alice', kind: 'file', name: 'a.bin', size: 1000, modified: 0 };
const roomy: Outlook = { free: 1e9, exists: false, same: false, partial: 0 };

function code(policy: Partial<OfferPolicy>, wanted: Partial<Wanted> = {}, outlook: Partial<Outlook> = {}): string {
  const decision = decide({ ...all, ...policy }, 'alice', { ...file, ...wanted }, { ...roomy, ...outlook });
  return decision instanceof TransferFailure ? decision.code : decision;
}

describe('an offer', () => {
  const cases: [string, string, Partial<OfferPolicy>, Partial<Wanted>?, Partial<Outlook>?][] = [
    ['waits for a person with "ask"', 'ask', { accept: 'ask' }],
    ['waits for a person with "ask", whatever else is said', 'ask', { accept: 'ask', maxFile: 1, acceptFrom: [] }],
    ['is refused with "none"', 'rejected-by-policy', { accept: 'none' }],
    ['is taken with "all"', 'accepted', {}],
    ['is taken from somebody on the list', 'accepted', { acceptFrom: ['bob', 'alice'] }],
    ['is refused from anybody else', 'rejected-by-policy', { acceptFrom: ['bob'] }],
    ['is taken up to the largest size', 'accepted', { maxFile: 1000 }],
    ['is refused above it', 'too-large', { maxFile: 999 }],
    ['is refused without a size where sizes count', 'too-large', { maxFile: 1e12 }, { size: null }],
    ['is taken without a size where they do not', 'accepted', {}, { size: null }],
    ['that is left out waits for a person where there is one', 'ask', { maxFile: 1, otherwise: 'ask' }],
    ['is refused where the disk has no room', 'disk-full', {}, {}, { free: 999 }],
    ['is taken where the rest of it has room', 'accepted', {}, {}, { free: 999, partial: 1 }],
    ['is taken where it is there already', 'accepted', {}, {}, { free: 0, same: true }],
    ['is taken where the disk does not say what is free', 'accepted', {}, {}, { free: undefined }],
  ];
  for (const [what, expected, policy, wanted, outlook] of cases) it(what, () => assert.equal(code(policy, wanted, outlook), expected));
});
