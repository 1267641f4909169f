/**
 * Token bucket: so many at once, then so many a second (PROTOCOL.md 9). A pure step; who owns the state decides what an
 * empty bucket means.
 */

export interface BucketRule {
  /** Tokens in a full bucket. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface Bucket {
  readonly tokens: number;
  /** Milliseconds of the owner's monotonic clock. */
  readonly at: number;
}

export function fullBucket(rule: BucketRule, now: number): Bucket {
  return { tokens: rule.burst, at: now };
}

/** Takes one token at `now`. `granted` is false when there is none; the bucket then only fills. */
export function takeToken(rule: BucketRule, bucket: Bucket, now: number): { readonly granted: boolean; readonly bucket: Bucket } {
  const tokens = Math.min(rule.burst, bucket.tokens + (Math.max(0, now - bucket.at) * rule.perSecond) / 1000);
  return tokens >= 1 ? { granted: true, bucket: { tokens: tokens - 1, at: now } } : { granted: false, bucket: { tokens, at: now } };
}
