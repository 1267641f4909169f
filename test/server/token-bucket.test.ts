/** The token bucket: so many at once, then so many a second. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fullBucket, takeToken } from '../../src/server/token-bucket.js';

const rule = { burst: 10, perSecond: 5 };

describe('token bucket', () => {
  it('never grants more than the burst and the rate of any stretch of time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }), (gaps) => {
        let bucket = fullBucket(rule, 0);
        let now = 0;
        let granted = 0;
        for (const gap of gaps) {
          now += gap;
          const taken = takeToken(rule, bucket, now);
          bucket = taken.bucket;
          granted += taken.granted ? 1 : 0;
        }
        assert.ok(granted <= rule.burst + (now * rule.perSecond) / 1000 + 1e-9);
      }),
    );
  });

  it('fills up again, and not beyond the burst', () => {
    let bucket = fullBucket(rule, 0);
    const take = (now: number) => {
      const taken = takeToken(rule, bucket, now);
      bucket = taken.bucket;
      return taken.granted;
    };
    for (let n = 1; n <= 10; n += 1) assert.ok(take(0));
    assert.ok(!take(199));
    assert.ok(take(200));
    for (let n = 1; n <= 10; n += 1) assert.ok(take(1_000_000));
    assert.ok(!take(1_000_000));
  });

  it('survives a clock that goes backwards', () => {
    const { granted, bucket } = takeToken(rule, { tokens: 0.5, at: 1000 }, 0);
    assert.equal(granted, false);
    assert.equal(bucket.tokens, 0.5);
  });
});
