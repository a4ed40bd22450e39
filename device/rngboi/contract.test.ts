// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { header, nextWord } from './contract.js';

describe('the generator', () => {
  // Published outputs of splitmix64.
  it.each([
    [1234567n, [6457827717110365317n, 3203168211198807973n, 9817491932198370423n]],
    [0n, [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]],
  ])('gives the high halves of splitmix64: seed %d', (seed, numbers) => {
    const words: bigint[] = [];
    for (let state = seed; words.length < numbers.length; ) {
      const next = nextWord(state);
      words.push(next.word);
      ({ state } = next);
    }
    expect(words).toEqual(numbers.map((number) => number >> 32n));
  });
});

describe('the C header', () => {
  it('is what the repository has', () => {
    expect(readFileSync('driver/rngboi/rngboi_hw-sw.h', 'utf8')).toBe(header());
  });
});
