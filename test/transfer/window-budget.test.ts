/** Windows: large ones while there is much, small ones later, none beyond the whole. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { WindowBudget } from '../../src/transfer/window-budget.js';

function takeAll(budget: WindowBudget): number[] {
  const taken: number[] = [];
  for (let next = budget.take(); next !== undefined; next = budget.take()) taken.push(next);
  return taken;
}

describe('the budget of windows', () => {
  it('gives the first transfers a whole window, later ones less, and never more than all', () => {
    const taken = takeAll(new WindowBudget());
    assert.equal(taken[0], transferLimits.windowBytes);
    assert.equal(taken.at(-1), transferLimits.leastWindowBytes);
    assert.deepEqual(taken, [...taken].sort((a, b) => b - a));
    assert.ok(taken.reduce((sum, bytes) => sum + bytes, 0) <= transferLimits.allWindowsBytes);
  });

  it('serves more transfers than one session may run', () => {
    assert.ok(takeAll(new WindowBudget()).length >= 4 * transferLimits.activePerPeer);
  });

  it('tells those who wait when a window comes back, until they stop', () => {
    const budget = new WindowBudget();
    const taken = takeAll(budget);
    let told = 0;
    const stop = budget.whenFree(() => (told += 1));
    budget.give(taken[0] ?? 0);
    assert.equal(told, 1);
    assert.notEqual(budget.take(), undefined);
    stop();
    budget.give(taken[1] ?? 0);
    assert.equal(told, 1);
  });
});
