// SPDX-License-Identifier: MIT
/** Several tests of a device: in one boot, chosen by name, with and without KTAP. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { append, restore } from './edit.js';
import { laboratory } from './laboratory.js';

const { project } = laboratory();

const made: string[] = [];
afterEach(() => {
  restore();
  for (const file of made.splice(0)) rmSync(file, { force: true });
});

/** A further test of the stopwatch. */
function script(name: string, ...lines: readonly string[]): void {
  const file = join(project.package, 'guest_fs/stopwatch', `${name}_test.sh`);
  writeFileSync(file, `${['#!/bin/sh', ...lines].join('\n')}\n`, { mode: 0o755 });
  made.push(file);
}

const suites = () => project.lastDevice().tests.map(({ suite, result }) => [suite, result]);

test('a second script runs in the same boot, as a suite of its own', async () => {
  script('extra', 'echo "KTAP version 1"', 'echo 1..1', 'echo "ok 1 for $1"');
  expect(await project.passes(['test', '--list'])).toMatch(/^stopwatch +.*\nstopwatch\/extra +.*$/m);
  const out = await project.passes(['test']);
  expect(suites()).toEqual([
    ['stopwatch', 'pass'],
    ['stopwatch/extra', 'pass'],
    ['stopwatch/stopwatch_dev', 'pass'],
  ]);
  expect(project.lastDevice().tests[1]?.tests[0]?.name).toBe('for stopwatch');
  expect(project.lastReport().host.suites.map(({ suite }) => suite)).toEqual([
    'stopwatch',
    'stopwatch/extra',
    'stopwatch/stopwatch_dev',
  ]);
  expect(readFileSync(project.lastRun('junit.xml'), 'utf8')).toMatch(
    /<testsuite name="stopwatch\/extra" tests="1" .*time="\d/,
  );
  expect(out).toMatch(/test extra: 1 ok/);
});

test('one without KTAP is its exit status, and what could not be checked is said', async () => {
  script('plain', 'echo working on "$1"');
  const out = await project.passes(['test', '--only', 'plain']);
  expect(suites()).toEqual([['stopwatch/plain', 'pass']]);
  expect(out).toMatch(/^Not checked +whether .* it printed no `# caused` line/m);

  script('plain', 'echo "no $1 here"', 'exit 5');
  const { err } = await project.exits(1, ['run-test-quit', '--only', 'plain']);
  expect(err).toMatch(/no stopwatch here/);
  expect(project.lastDevice().tests[0]?.tests).toEqual([
    { name: 'plain', status: 'not ok', comment: 'exit status 5', diagnostics: ['no stopwatch here'] },
  ]);
});

test('--bisect: 125 where it cannot be built, the verdict’s own code where it can', async () => {
  script('bad', 'exit 1');
  await project.exits(1, ['run-test-quit', '--bisect', '--only', 'bad']);
  append(project.package, 'device/stopwatch/stopwatch.c', '#error not in this revision\n');
  const { err } = await project.exits(125, ['run-test-quit', '--bisect']);
  expect(err).toContain('not in this revision');
  restore();
  await project.exits(125, ['run-test-quit', '--bisect'], { env: { STOPWATCH_VM_CPUS: 'many' } });
});

test('a script that declares what it causes must cause it', async () => {
  script('lazy', '# causes: commands=3', 'echo "# caused commands=0"');
  const { err } = await project.exits(3, ['test', '--only', 'lazy']);
  expect(err).toMatch(/too few commands were checked: expected at least 3, got 0/);
});

test('--repeat ends with the first run that does not pass, and says its seed', async () => {
  script('seeded', '[ "$STOPWATCH_SEED" -lt 6 ]');
  const { out } = await project.exits(1, ['test', '--only', 'seeded', '--repeat', '9', '--seed', '5']);
  expect(out).toMatch(/^Repeated +run 2 of 9 did not pass; the same one again: --seed 6$/m);
  await project.passes(['test', '--only', 'seeded', '--seed', '5']);
});

test('a name that is none is said before anything is done', async () => {
  const { err } = await project.exits(2, ['test', '--only', 'stopwach']);
  expect(err).toMatch(/No test is called 'stopwach'.*stopwatch/);
});
