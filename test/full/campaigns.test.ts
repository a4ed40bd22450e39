// SPDX-License-Identifier: MIT
/** Long searches on the QEMU that was built, and the mutants that a quarter of the operators make. */
import { expect, test } from 'vitest';
import { fuzz, mutants } from '../e2e/search.js';

test.each(['1', '2'])(
  'a campaign of ten million operations from seed %s finds no difference',
  async (seed) => {
    const { code, document } = await fuzz('--ops', '10000000', '--seed', seed);
    expect(document.finding).toBeUndefined();
    expect(code).toBe(0);
    expect(document.operations).toBeGreaterThanOrEqual(10_000_000);
    expect(document.decisions?.missed).toEqual([]);
  },
);

test.each([
  ['of the device', []],
  ['of the model', ['--model']],
] as const)('mutants %s: each is found', async (_, args) => {
  const { code, document } = await mutants(...args, '--only', '^(timer|comparison)');
  expect(code).toBe(0);
  expect(document.mutants).toBeGreaterThan(20);
  expect(document.killed).toBe(document.mutants);
});
