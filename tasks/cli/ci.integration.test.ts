// SPDX-License-Identifier: MIT
/** The command line as a CI system's runner calls it: by its variables. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../config/paths.js';

const main = join(packageRoot(), 'dist/stopwatch.js');
const fixtures = join(packageRoot(), 'test/fixtures/crosscheck');
let cwd: string;
let summary: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'stopwatch-ci-'));
  summary = join(cwd, 'summary.md');
  writeFileSync(summary, 'what an earlier step has written\n');
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function stopwatch(args: readonly string[], more: Record<string, string> = {}): Promise<number> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: cwd,
    GITHUB_STEP_SUMMARY: summary,
    ...more,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { cwd, env }, (error) =>
      resolve(typeof error?.code === 'number' ? error.code : 0),
    );
  });
}

test('a divergence is in the summary, after what was there', async () => {
  expect(await stopwatch(['crosscheck', join(fixtures, 'pause-forgets.trace')])).toBe(3);
  const text = readFileSync(summary, 'utf8');
  expect(text).toMatch(/^what an earlier step has written\n## ❌ stopwatch crosscheck: exit code 3\n/);
  expect(text).toMatch(/expected .*\n.*actual /);
});

test('a stream that agrees', async () => {
  expect(await stopwatch(['crosscheck', join(fixtures, 'good.trace')])).toBe(0);
  expect(readFileSync(summary, 'utf8')).toContain('## ✅ stopwatch crosscheck: exit code 0\n');
});

test('what went wrong before anything was run is there too, once', async () => {
  expect(await stopwatch(['all', '--no-install'], { STOPWATCH_VM_MEMORY_MIB: 'much' })).toBe(2);
  expect(readFileSync(summary, 'utf8').match(/vm.memoryMiB/g)).toHaveLength(1);
});

test('--ci none, --json, and a summary that cannot be written', async () => {
  const file = join(fixtures, 'good.trace');
  expect(await stopwatch(['crosscheck', '--ci', 'none', file])).toBe(0);
  expect(await stopwatch(['crosscheck', '--json', file])).toBe(0);
  expect(readFileSync(summary, 'utf8')).toBe('what an earlier step has written\n');
  expect(await stopwatch(['crosscheck', file], { GITHUB_STEP_SUMMARY: join(cwd, 'no/such') })).toBe(0);
});
