/** Windows per key, and the bound on how many keys are remembered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverLimits } from '../../src/protocol/limits.js';
import { Rates } from '../../src/server/rates.js';

describe('Rates', () => {
  it('counts each key for itself, and takes back what is given back', async () => {
    const rates = new Rates({ points: 2, seconds: 60 });
    assert.deepEqual([await rates.take('a'), await rates.take('a'), await rates.take('a'), await rates.take('b')], [true, true, false, true]);
    const others = new Rates({ points: 1, seconds: 60 });
    assert.equal(await others.take('a'), true);
    await others.giveBack('a');
    assert.deepEqual([await others.take('a'), await others.take('a')], [true, false]);
  });

  it('forgets the oldest key when there are too many', async () => {
    const rates = new Rates({ points: 1, seconds: 60 });
    await rates.take('first');
    for (let n = 0; n < serverLimits.rememberedAddresses; n += 1) await rates.take(`key${n}`);
    assert.equal(await rates.take('first'), true);
    assert.equal(await rates.take(`key${serverLimits.rememberedAddresses - 1}`), false);
  });
});
