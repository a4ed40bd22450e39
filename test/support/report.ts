// SPDX-License-Identifier: MIT
/** For tests: a run that passed; what differs is given. */
import type { Verdict } from '../../vm/crosscheck/types.js';
import { makeReport, type RunCircumstances, type RunReport } from '../../vm/report/report.js';
import type { BootResult } from '../../vm/types.js';

export const circumstances: Omit<RunCircumstances, 'timing' | 'qemuMessages'> = {
  runId: '2026-01-02T03-04-05',
  command: 'stopwatch run-test-quit',
  startedAt: '2026-01-02T03:04:05.000Z',
  durationMs: 1500,
  compileCache: null,
  stages: [{ name: 'boot', status: 'passed', durationMs: 700 }],
  acceleratorReason: 'the host is x64, the guest aarch64',
  files: { console: '/run/console.log' },
  next: 'npx stopwatch run',
};

export function aBoot(different: Partial<BootResult> = {}): BootResult {
  return {
    outcome: 'passed',
    reason: '1 tests passed',
    accelerator: 'tcg',
    clock: 'icount',
    ktap: { planned: 1, tests: [{ name: 'a', status: 'ok', comment: '', diagnostics: [] }], problems: [] },
    lastLines: ['ok 1 a'],
    warnings: [],
    qemuMessages: [],
    qemuExit: { code: 0, signal: undefined },
    timing: { firstOutputMs: 50, testStartMs: 500, testEndMs: 900, endMs: 1000 },
    ...different,
  };
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

export function aReport(boot: Partial<BootResult> = {}, verdict: Partial<Verdict> = {}): RunReport {
  return makeReport(aBoot(boot), aVerdict(verdict), circumstances);
}
