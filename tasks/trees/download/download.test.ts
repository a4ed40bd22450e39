// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { backOff } from './download.js';

it('waits twice as long each time, up to a limit, spread over half of it', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((tried) => backOff(tried, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect(backOff(3, 0)).toBe(1000);
  expect(backOff(1, 0, 20_000)).toBe(20_000);
  expect(backOff(1, 0, 3_600_000)).toBe(30_000);
});
