// SPDX-License-Identifier: MIT
/** Results as KUnit of Linux 6.12.94 left them in debugfs for the stopwatch's suite; `failed` with a fault in the driver. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { suitesOf } from './kunit.js';
import { countTests, failedTests } from './test-run.js';

const recorded = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/kunit/${name}.ktap`, import.meta.url), 'utf8');
const passed = recorded('passed');
const failed = recorded('failed');

test('each case counts, and the suite itself', () => {
  const suites = suitesOf(passed);
  expect(suites.flatMap(({ problems }) => problems)).toEqual([]);
  expect(suites.map(({ tests }) => tests.map(({ name }) => name))).toEqual([
    [
      'stopwatch / stopwatch_kunit_state',
      'stopwatch / stopwatch_kunit_text',
      'stopwatch / stopwatch_kunit_timeout',
      'stopwatch / stopwatch_kunit_lap',
      'stopwatch',
    ],
  ]);
  expect(countTests(suites)).toBe('5 ok, 0 not ok, 0 skipped');
});

test('a failed case says what was expected, and fails its suite', () => {
  const [first, ...others] = suitesOf(passed + failed);
  expect(others).toHaveLength(1);
  expect(first && failedTests(first)).toEqual([]);
  expect(others.flatMap((suite) => failedTests(suite)).slice(0, 4)).toEqual([
    'stopwatch_kunit_state: EXPECTATION FAILED at driver/stopwatch/stopwatch_kunit.c:49',
    'Expected stopwatch_state(&fake->sw) == -5, but',
    'stopwatch_state(&fake->sw) == -22 (0xffffffffffffffea)',
    'stopwatch_kunit_state: EXPECTATION FAILED at driver/stopwatch/stopwatch_kunit.c:51',
  ]);
  expect(countTests(others)).toBe('3 ok, 2 not ok, 0 skipped');
});

test('results that end in the middle are a problem', () => {
  const [suite] = suitesOf(passed.slice(0, passed.indexOf('    ok 3')));
  expect(suite?.problems).not.toEqual([]);
});

test('no results are no suites', () => {
  expect(suitesOf('')).toEqual([]);
});
