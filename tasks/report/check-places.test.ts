// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { failedChecks } from './check-places.js';

const script = [
  '#!/bin/sh',
  'read_time() {',
  '\tbetween \'elapsed time\' "$1" 1 2',
  '}',
  'test_starting() {',
  '\tequal \'state\' "$status" 1',
  '\tread_time 3',
  '}',
  'test_pausing() {',
  '\tequal \'state\' "$status" 2',
  '}',
].join('\n');

test('a check is at the line that names it: in its test, or in what its test calls', () => {
  const lines = [
    'observe status=2',
    "state: expected '1', got '2'",
    'elapsed time: expected 1 to 2 hundredths of a second, got 7',
    'not ok starting',
    "state: expected '2', got '1'",
    'not ok 4 - pausing',
  ];
  expect(failedChecks(lines, script)).toEqual([
    { test: 'starting', message: "state: expected '1', got '2'", line: 6 },
    { test: 'starting', message: 'elapsed time: expected 1 to 2 hundredths of a second, got 7', line: 3 },
    { test: 'pausing', message: "state: expected '2', got '1'", line: 10 },
  ]);
});

test('a test that says nothing of the kind is at its function; one that is not in the script nowhere', () => {
  const lines = ['cannot read the state', 'not ok pausing', 'hm: expected 1', 'not ok elsewhere'];
  expect(failedChecks(lines, script)).toEqual([
    { test: 'pausing', message: 'pausing failed\ncannot read the state', line: 9 },
    { test: 'elsewhere', message: 'elsewhere failed\nhm: expected 1', line: undefined },
  ]);
});

test('no failed test, no check', () => {
  expect(failedChecks(['state: expected 1', 'ok 1 starting'], script)).toEqual([]);
});
