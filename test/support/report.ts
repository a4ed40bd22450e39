// SPDX-License-Identifier: MIT
/** For tests: a run that passed; what differs is given. */
import type { Verdict } from '../../vm/crosscheck/types.js';
import {
  type DeviceResult,
  makeReport,
  type RunCircumstances,
  type RunReport,
  type TestResult,
} from '../../vm/report/report.js';
import type { BootResult } from '../../vm/types.js';

export const circumstances: Omit<RunCircumstances, 'timing' | 'dropped' | 'suites' | 'qemuMessages'> = {
  runId: '2026-01-02T03-04-05',
  command: 'stopwatch run-test-quit',
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 1500,
  compileCache: null,
  build: [],
  stages: [{ name: 'boot', status: 'passed', durationMs: 700 }],
  acceleratorReason: 'the host is x64, the guest aarch64',
  files: { console: '/run/console.log' },
  next: 'npx stopwatch run',
};

export function aBoot(different: Partial<BootResult> = {}): BootResult {
  const { result: _, suite: __, lastLines, ...ktap } = aTest();
  return {
    outcome: 'passed',
    reason: '1 tests passed',
    accelerator: 'tcg',
    clock: 'icount',
    suites: [{ id: 'stopwatch', result: 'pass', ktap, lastLines, timing: { startMs: 500, endMs: 900 } }],
    lastLines: ['ok 1 a'],
    warnings: [],
    splats: [],
    driverMessages: [],
    unresponsive: false,
    dropped: { lines: 0, bytes: 0 },
    qemuMessages: [],
    qemuExit: { code: 0, signal: undefined },
    timing: { firstOutputMs: 50, testStartMs: 500, testEndMs: 900, endMs: 1000 },
    ...different,
  };
}

export function aTest(different: Partial<TestResult> = {}): TestResult {
  const tests = [{ name: 'a', status: 'ok', comment: '', diagnostics: [] }] as const;
  return { suite: 'stopwatch', result: 'pass', planned: 1, tests, problems: [], lastLines: [], ...different };
}

export function aVerdict(different: Partial<Verdict> = {}): Verdict {
  return {
    result: 'agree',
    events: 10,
    checked: 20,
    supplied: 5,
    confirmed: 3,
    observed: 2,
    otherLines: 4,
    kinds: { read: 10 },
    counts: { reads: 10 },
    invalid: [],
    ...different,
  };
}

/** A stopwatch that was tested and agrees. */
export function aDevice(different: Partial<DeviceResult> = {}): DeviceResult {
  return {
    id: 'stopwatch',
    device: 'stopwatch',
    source: 'project',
    driver: 'project',
    checker: true,
    tests: [aTest({ suite: different.id ?? 'stopwatch' })],
    verdict: aVerdict(),
    ...different,
  };
}

/** Of a machine with one device. */
export function aReport(boot: Partial<BootResult> = {}, device: Partial<DeviceResult> = {}): RunReport {
  return makeReport(aBoot(boot), [aDevice(device)], circumstances);
}
