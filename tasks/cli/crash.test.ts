// SPDX-License-Identifier: MIT
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { crashError } from './crash.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stopwatch-crash-test-'));
  vi.stubEnv('TMPDIR', root);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

test('the log of a crash is for this user alone, in a place that nobody could guess, and has no password', () => {
  const theirs = join(root, 'victim');
  writeFileSync(theirs, 'mine');
  symlinkSync(theirs, join(root, `internal-error-${process.pid}.log`));
  const logs = ['first', 'second'].map((name) => {
    const { log = '', message } = crashError(new Error(`${name} of http://ann:s3cret@proxy`), undefined);
    expect(message).not.toContain('s3cret');
    expect(readFileSync(log, 'utf8')).toMatch(new RegExp(`${name} of http://…@proxy`));
    expect(readFileSync(log, 'utf8')).not.toContain('s3cret');
    expect([statSync(dirname(log)).mode & 0o777, statSync(log).mode & 0o777]).toEqual([0o700, 0o600]);
    return log;
  });
  expect(new Set(logs).size).toBe(2);
  expect(readFileSync(theirs, 'utf8')).toBe('mine');
});

test('in the directory of the logs no link is followed either', () => {
  const { log = '' } = crashError(new Error('x'), root);
  expect(dirname(log)).toBe(root);
  expect(statSync(log).mode & 0o777).toBe(0o600);
  expect(readdirSync(root)).toHaveLength(1);
});
