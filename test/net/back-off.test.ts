/** Waits between attempts: they grow, never leave their bounds, and are spread. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { backOffMs } from '../../src/net/back-off.js';
import { timeLimits } from '../../src/protocol/limits.js';

describe('back-off', () => {
  it('stays within its bounds for any attempt and any chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, chance) => {
        const ms = backOffMs(attempt, chance);
        assert.ok(ms > 0 && ms <= timeLimits.backOffLastMs);
        if (attempt === 1) assert.ok(ms <= timeLimits.backOffFirstMs);
      }),
    );
  });

  it('grows to its last step and spreads clients over most of it', () => {
    assert.ok(backOffMs(20, 0.99) > 0.9 * timeLimits.backOffLastMs);
    assert.ok(backOffMs(20, 0) < 0.3 * timeLimits.backOffLastMs);
    assert.ok(backOffMs(4, 0.5) > backOffMs(2, 0.5));
  });
});
