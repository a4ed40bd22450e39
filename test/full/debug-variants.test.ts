// SPDX-License-Identifier: MIT
/** `--variant debug`: a kernel that checks itself, on the real thing; and neither variant makes the other stale. */
import { expect, test } from 'vitest';
import { laboratory } from '../e2e/laboratory.js';

const { project } = laboratory();

test('the debug variant passes its test, and its kernel has no complaint', async () => {
  const { code, out, err } = await project.events(['run-test-quit', '--variant', 'debug']);
  expect(code, out + err).toBe(0);
  expect(project.lastReport().result).toMatchObject({
    guest: { outcome: 'passed', warnings: [] },
    devices: [{ id: 'stopwatch', verdict: { result: 'agree' } }],
  });
});

test('the variants live side by side', async () => {
  for (const variant of ['plain', 'debug', 'coverage', 'plain', 'debug', 'coverage'])
    await project.events(['update', '--variant', variant]);
  for (const variant of ['plain', 'debug', 'coverage']) {
    const { code, done } = await project.events(['update', '--variant', variant]);
    expect([variant, code, done]).toEqual([variant, 0, []]);
  }
});
