// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, weighted } from './random.js';

const many = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.below(2 ** 32));

describe('Random', () => {
  it('gives the same for the same seed and stream, and something else for their neighbours', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.nat({ max: 1e6 }), (seed, stream) => {
        const first = many(new Random(seed, stream), 8);
        expect(many(new Random(seed, stream), 8)).toEqual(first);
        const others = [new Random(seed + 1, stream), new Random(seed, stream + 1)];
        for (const other of others)
          expect(many(other, 8).filter((one, index) => one === first[index]).length).toBeLessThan(2);
      }),
    );
  });

  it('stays within its ends and reaches them, about equally often', () => {
    const random = new Random(1, 2);
    const seen = [0, 0, 0, 0, 0];
    for (let time = 0; time < 10_000; time++) {
      const value = random.between(-2, 2);
      seen[value + 2] = (seen[value + 2] ?? 0) + 1;
    }
    expect(seen.reduce((sum, count) => sum + count)).toBe(10_000);
    for (const count of seen) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });

  it('sets each of 64 bits about half of the time', () => {
    const random = new Random(7, 0);
    const set = Array.from({ length: 64 }, () => 0);
    for (let time = 0; time < 4000; time++) {
      const word = random.word();
      for (let bit = 0; bit < 64; bit++) set[bit] = (set[bit] ?? 0) + Number((word >> BigInt(bit)) & 1n);
    }
    for (const count of set) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('chooses by weight', () => {
    expect(weighted([2, 'a'], [0, 'b'], [1, 'c'])).toEqual(['a', 'a', 'c']);
  });
});
