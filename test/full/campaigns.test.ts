// SPDX-License-Identifier: MIT
/** A long search on the QEMU that was built, and one mutant in eight. */
import { expect, test } from 'vitest';
import { fuzz, mutants } from '../e2e/search.js';

test('a campaign of ten million operations finds no difference', async () => {
  const { code, document } = await fuzz('--ops', '10000000', '--seed', '2');
  expect(document.finding).toBeUndefined();
  expect(code).toBe(0);
  expect(document.operations).toBeGreaterThanOrEqual(10_000_000);
  expect(document.decisions?.missed).toEqual([]);
});

test('mutants: each is found', async () => {
  const { code, document } = await mutants('--every', '8');
  expect(code).toBe(0);
  expect(document.mutants).toBeGreaterThan(20);
  expect(document.killed).toBe(document.mutants);
});
