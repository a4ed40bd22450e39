// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimise } from './minimise.js';

const { signal } = new AbortController();
const without = { simpler: () => [], tries: 10_000, seconds: 60, signal };
/** Fails once all of `needed` have come in this order. */
const inOrder =
  (needed: readonly number[]) =>
  async (operations: readonly number[]): Promise<number | undefined> => {
    let found = 0;
    for (const [index, operation] of operations.entries()) {
      if (operation === needed[found]) found += 1;
      if (found === needed.length) return index;
    }
    return undefined;
  };

const large = async (operations: readonly number[]): Promise<number | undefined> => {
  const at = operations.findIndex((one) => one >= 37);
  return at < 0 ? undefined : at;
};
const simpler = (one: number): number[] => [0, Math.floor(one / 2), one - 1].filter((less) => less < one);

const slowly = async (operations: readonly number[]) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return operations.length === 0 ? undefined : operations.length - 1;
};

describe('minimise', () => {
  it('ends when no operation can be left out for a while, however many simpler forms there are', async () => {
    const options = {
      ...without,
      simpler: (one: number) => [one - 1],
      failing: slowly,
      idleSeconds: 0.1,
      tries: 1e9,
    };
    const { operations, minimal } = await minimise([1e9, 1e9, 1e9], 2, options);
    expect([operations.length, minimal]).toEqual([1, false]);
  });

  it('leaves what is needed and nothing else, wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 200, size: 'max' }),
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 }),
        async (operations, picks) => {
          const places = [...new Set(picks.map((pick) => pick % operations.length))].sort((a, b) => a - b);
          const needed = places.map((place) => operations[place] ?? 0);
          const failing = inOrder(needed);
          const at = await failing(operations);
          expect(at).toBeDefined();
          const { operations: short, minimal } = await minimise(operations, at ?? 0, { ...without, failing });
          expect(short).toEqual(needed);
          expect(minimal).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('makes an operation as simple as it goes', async () => {
    const failing = large;
    const { operations } = await minimise([5, 900, 60], 1, { ...without, failing, simpler });
    expect(operations).toEqual([37]);
  });

  it('gives what it has when its tries are spent', async () => {
    const failing = inOrder([1]);
    const { operations, tries, minimal } = await minimise([0, 0, 0, 0, 1], 4, {
      ...without,
      failing,
      tries: 1,
    });
    expect([operations.at(-1), tries, minimal]).toEqual([1, 1, false]);
  });
});
