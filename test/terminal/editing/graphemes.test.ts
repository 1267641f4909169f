/** Clusters found in small pieces of a text are those of the whole text, and a long one takes no long time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { atBoundary, clusters, isBoundary, nextBoundary, previousBoundary, spacedWordStart, wordEnd, wordStart } from '../../../src/terminal/editing/graphemes.js';

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

const PIECES = ['a', ' ', '_', 'é', '中', 'か', 'か\u3099', 'e\u0301', '\u0301', '\u0301'.repeat(80), '👍', '🏽', '👩‍👩‍👧', '\u200d', '🇩', '🇪', '🇩'.repeat(41), '한', 'ᄒ', 'ᅡ', 'ᆫ', 'กำ', 'क्षि', '\u094d', '\u0600', '\u0d4e', '\u{110bd}', '\ufe0f', '\n', '\r', '\u2028', '1️⃣'];

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join(''));

describe('clusters', () => {
  it('are those of the whole text, wherever one looks', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const starts = [...segmenter.segment(whole)].map(({ index }) => index);
        const places = [...starts, whole.length];
        assert.deepEqual(clusters(whole), [...segmenter.segment(whole)].map(({ segment }) => segment));
        for (let at = 0; at <= whole.length; at += 1) {
          assert.equal(isBoundary(whole, at), places.includes(at), `${JSON.stringify(whole)} at ${at}`);
          assert.equal(previousBoundary(whole, at), starts.findLast((start) => start < at) ?? 0);
          assert.equal(atBoundary(whole, at), places.find((place) => place >= at));
          if (places.includes(at)) assert.equal(nextBoundary(whole, at), places.find((place) => place > at) ?? whole.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('words', () => {
  it('end and begin at letters and digits', () => {
    assert.deepEqual([wordEnd('GET_CLIENT one', 0), wordEnd('GET_CLIENT one', 3), wordStart('one e\u0301te\u0301!', 11), spacedWordStart('a ~/b.c ', 8)], [3, 10, 4, 2]);
  });

  // With a segmenter over the whole text every step copies it: some seconds, and some gigabytes.
  it('of a whole pasted page are passed at once', () => {
    for (const long of ['漢字'.repeat(20_000), 'lorem'.repeat(25_000), '👩‍👩‍👧'.repeat(10_000)]) {
      const began = process.cpuUsage();
      assert.equal(wordEnd(long, 0), long.length);
      assert.equal(spacedWordStart(long, long.length), 0);
      const { user, system } = process.cpuUsage(began);
      assert.ok((user + system) / 1000 < 1_500, `${(user + system) / 1000} ms`);
    }
  });
});
