// SPDX-License-Identifier: MIT
/** `matrix` with the project's own releases. Others, which take long to build, are in test/full. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { laboratory } from './laboratory.js';

const { project } = laboratory();
beforeAll(() => project.passes(['update']));
const failing = join(project.package, 'guest_fs/stopwatch/failing_test.sh');
afterEach(() => rmSync(failing, { force: true }));

test('a table, a report for each pair, and one JUnit file', async () => {
  const out = await project.passes(['matrix']);
  expect(out).toMatch(/^ +QEMU [\d.]+\nLinux [\d.]+ +passed$/m);
  const [, report = ''] = /^Linux [\d.]+, QEMU [\d.]+: passed +(\S+)$/m.exec(out) ?? [];
  expect(existsSync(join(project.directory, report))).toBe(true);
  const [, junit = ''] = /^JUnit: (.*)$/m.exec(out) ?? [];
  expect(readFileSync(junit, 'utf8')).toMatch(
    /<testsuite name="Linux [\d.]+, QEMU [\d.]+" tests="\d+" failures="0"/,
  );
});

test('the exit code is that of a pair that does not pass', async () => {
  writeFileSync(failing, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const { out } = await project.exits(1, ['matrix', '--fail-fast']);
  expect(out).toMatch(/^Linux [\d.]+ +failed$/m);
  expect(readFileSync(join(project.work, 'reports/matrix.xml'), 'utf8')).toContain(
    '<failure message="exit status 1"',
  );
});

test('a release whose sum is not known is refused before anything is built', async () => {
  const { err } = await project.exits(2, ['matrix', '--linux', '5.99.99']);
  expect(err).toMatch(/The sha256 of Linux 5\.99\.99 is not known.*There are: [\d., ]+/);
  await project.exits(2, ['matrix', '--shard', '3/2']);
});
