/** Safety numbers: both sides see the same, a change of anything shows, and another program can compute them (PROTOCOL.md 6.5). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { join } from 'node:path';
import fc from 'fast-check';
import { fingerprintOf, generateIdentity } from '../../src/security/identity.js';
import { safetyNumber, type SafetyPart } from '../../src/security/safety-number.js';
import { projectRoot } from '../protocol/specification.js';

/** Runs that each take two derivations of 0.1 s. */
const RUNS = { numRuns: 3 };

const fingerprints = fc.uint8Array({ minLength: 44, maxLength: 44 }).map((spki) => fingerprintOf(spki));
const letters = fc.constantFrom('a', 'b', 'Z', '0', '9', '.', '_', '-');
const names = fc.tuple(fc.constantFrom('a', 'B', '7'), fc.array(letters, { maxLength: 20 })).map(([first, rest]) => first + rest.join(''));

const saidOf = ({ digits, words }: SafetyPart) => `${digits.join(' ')} / ${words.join(' ')}`;

describe('a safety number', () => {
  it('is what PROTOCOL.md says', async () => {
    const text = readFileSync(join(projectRoot(), 'src/protocol/PROTOCOL.md'), 'utf8');
    const vectors = [...text.matchAll(/^\| `(?<user>[a-z]+)` \| `(?<spki>[0-9a-f]{88})` \| (?<digits>[\d ]{35}) \| (?<words>[a-z ]+) \|$/gmu)].map(({ groups = {} }) => groups);
    assert.equal(vectors.length, 2);
    const people = vectors.map(({ user = '', spki = '' }) => ({ user, fingerprint: fingerprintOf(Buffer.from(spki, 'hex')) }));
    const [one, other] = people;
    assert.ok(one !== undefined && other !== undefined);
    const number = await safetyNumber(one, other);
    assert.deepEqual(
      number.map(({ user, digits, words }) => [user, digits.join(' '), words.join(' ')]),
      vectors.map(({ user, digits, words }) => [user, digits, words]),
    );
  });

  it('is the same for both, however they write their names', async () => {
    await fc.assert(
      fc.asyncProperty(names, names, fingerprints, fingerprints, async (a, b, keyOfA, keyOfB) => {
        fc.pre(a.toLowerCase() !== b.toLowerCase());
        const [here, there] = [
          await safetyNumber({ user: a, fingerprint: keyOfA }, { user: b, fingerprint: keyOfB }),
          await safetyNumber({ user: b.toUpperCase(), fingerprint: keyOfB }, { user: a.toLowerCase(), fingerprint: keyOfA }),
        ];
        assert.deepEqual(here.map(saidOf), there.map(saidOf));
      }),
      RUNS,
    );
  });

  it('shows another key, and another name, in every part of it', async () => {
    const [own, bob, mallory] = [generateIdentity().fingerprint, generateIdentity().fingerprint, generateIdentity().fingerprint];
    const right = await safetyNumber({ user: 'alice', fingerprint: own }, { user: 'bob', fingerprint: bob });
    const swapped = await safetyNumber({ user: 'alice', fingerprint: own }, { user: 'bob', fingerprint: mallory });
    const renamed = await safetyNumber({ user: 'alice', fingerprint: own }, { user: 'bobby', fingerprint: bob });
    assert.deepEqual(swapped[0], right[0]);
    for (const other of [swapped[1], renamed[1]]) {
      assert.notDeepEqual(other.digits, right[1].digits);
      assert.notDeepEqual(other.words, right[1].words);
    }
  });

  it('differs for the two people of one pair, so that no part can be shown for the other', async () => {
    const { fingerprint } = generateIdentity();
    const [first, second] = await safetyNumber({ user: 'alice', fingerprint }, { user: 'bob', fingerprint });
    assert.notDeepEqual(first.digits, second.digits);
  });

  it('has 6 groups of 5 digits and 7 words that four letters tell apart, for each', async () => {
    for (const part of await safetyNumber({ user: 'a', fingerprint: generateIdentity().fingerprint }, { user: 'b', fingerprint: generateIdentity().fingerprint })) {
      assert.equal(part.digits.length, 6);
      assert.ok(part.digits.every((group) => /^\d{5}$/u.test(group)));
      assert.equal(part.words.length, 7);
      assert.ok(part.words.every((word) => /^[a-z]{3,8}$/u.test(word)));
    }
  });
});
