// SPDX-License-Identifier: MIT
/** The search on the QEMU that was built: it finds nothing, and finds a fault that is put into the device. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stopwatchSearch } from '../../device/stopwatch/search/search.js';
import { runScript } from '../../lab/search/campaign.js';
import { runAndCheckTrace } from '../../lab/search/trace-check.js';
import { createProcesses } from '../../lib/process/process.js';
import { hostClock } from '../../vm/clock.js';
import { edit, undoEdits } from './edit.js';
import { CHECKOUT, laboratory } from './laboratory.js';
import { fuzz, fuzzRngboi, mutants } from './search.js';

undoEdits();

const { project } = laboratory();

test('scripts that once showed a difference show none', async () => {
  const directory = join(project.directory, 'regressions');
  mkdirSync(directory, { recursive: true });
  const request = {
    qemu: join(project.work, 'build', 'qemu', 'qemu-system-aarch64'),
    directory,
    silenceMs: 60_000,
  };
  const ports = {
    processes: createProcesses(),
    clock: hostClock,
    env: project.env,
    signal: new AbortController().signal,
  };
  const scripts = join(CHECKOUT, 'test', 'regressions');
  for (const name of readdirSync(scripts)) {
    const script = stopwatchSearch.parseScript(readFileSync(join(scripts, name), 'utf8'));
    const outcome = await runScript(stopwatchSearch, script, request, ports);
    expect([name, outcome]).toEqual([name, { result: 'agree' }]);
    const { wrong } = await runAndCheckTrace(stopwatchSearch, script, request, ports);
    expect([name, wrong]).toEqual([name, undefined]);
  }
});

/** Some seconds' worth on two quiet processors. Longer: test/full/campaigns.test.ts. */
const CAMPAIGN = 500_000;

test('a campaign finds no difference, and carries out all that the contract decides', async () => {
  const { code, document } = await fuzz('--ops', String(CAMPAIGN), '--seed', '1');
  expect(document.finding).toBeUndefined();
  expect(code).toBe(0);
  expect(document.operations).toBeGreaterThanOrEqual(CAMPAIGN);
  expect(document.decisions?.missed).toEqual([]);
  expect(document.decisions?.reached).toBe(document.decisions?.total);
});

test('a campaign of rngboi, too', async () => {
  const { code, document } = await fuzzRngboi('--ops', '100000', '--seed', '1');
  expect(document.finding).toBeUndefined();
  expect(code).toBe(0);
});

test('a fault is found, made short, written down, and done again', async () => {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    '        s->status = STOPWATCH_STATUS_PAUSED;',
  );
  const { code, document } = await fuzz('--ops', '200000', '--seed', '1');
  expect(code).toBe(3);
  expect(document.finding).toMatchObject({ compared: 'ELAPSED_NS' });
  expect(document.finding?.shortest).toBeLessThanOrEqual(6);
  const script = document.finding?.script ?? '';
  expect(existsSync(script)).toBe(true);
  expect(await fuzz('--replay', script)).toMatchObject({ code: 3, document: { compared: 'ELAPSED_NS' } });
});

test('a device that does not fire before the VM stops is found where time passes by itself', async () => {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '        stopwatch_expire(s, now);\n        s->was_stopped',
    '        s->was_stopped',
  );
  const { code, document } = await fuzz('--ops', '5000', '--seed', '1');
  expect(code).toBe(3);
  expect(document.finding).toBeUndefined();
  expect(document.hostClock?.wrong).toMatch(/stopped with a timeout of \d+ ns that had come/);
});

test('a device that is right and says something else is found by its trace, and that is made short', async () => {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '    trace_stopwatch_error(s->id, s->seq++, now, error, s->error);',
    '    trace_stopwatch_error(s->id, s->seq++, now, error, error);',
  );
  const { code, document } = await fuzz('--ops', '5000', '--seed', '1');
  expect(code).toBe(3);
  expect(document.finding).toBeUndefined();
  expect(document.trace?.shortest).toBeLessThanOrEqual(6);
  expect(await fuzz('--replay', document.trace?.script ?? '')).toMatchObject({ code: 3 });
});

test('faults in the device are seen by the search, and some by a boot', async () => {
  // A timer that is late, which a guest's test shows too; a deadline that is not saved, which it does not.
  const pattern = '^timer in stopwatch_arm.*deadline [+] 1|^forgotten migration field.*deadline';
  const device = await mutants('--only', pattern);
  expect(device.code).toBe(0);
  expect(device.document.mutants).toBeGreaterThan(1);
  expect(device.document.killed).toBe(device.document.mutants);
  const { 'cross-check': byBoot = 0 } = device.document.killedByBoot;
  expect(byBoot).toBeGreaterThan(0);
  expect(byBoot).toBeLessThan(device.document.mutants);
});
