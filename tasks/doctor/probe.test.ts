// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { versionAtLeast } from './probe.js';

test('versions are compared number by number', () => {
  expect(versionAtLeast('4.3', '4.4')).toBe(false);
  expect(versionAtLeast('4.4', '4.4')).toBe(true);
  expect(versionAtLeast('4.4.1', '4.4')).toBe(true);
  expect(versionAtLeast('1.9.0', '1.13')).toBe(false);
  expect(versionAtLeast('1.13', '1.13')).toBe(true);
  expect(versionAtLeast('2', '1.13')).toBe(true);
});
