// SPDX-License-Identifier: MIT
/** The result of a run as one value. Terminal output, JSON, JUnit and HTML are functions of it. */
import type { ExitCode } from '../../lib/errors.js';
import type { InstanceVerdict, Verdict } from '../crosscheck/index.js';
import type { DeviceInstance } from '../device.js';
import { instanceOf, type TestStatus } from '../crosscheck/sections.js';
import { exitCodeOf } from './exit-code.js';
import type { BootResult, KtapResult, TestSuite } from '../types.js';

/** Increment it when readers of older reports would misread a new one. */
export const REPORT_SCHEMA = 4;

/** One stage of the run: `build`, `boot`, `test`, `cross-check`, … */
export interface Stage {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
}

/** One task of the build before the boot. */
export interface BuildTask {
  readonly name: string;
  readonly title: string;
  readonly deps: readonly string[];
  readonly state: 'fresh' | 'done' | 'failed';
  /** Why it was stale. */
  readonly reasons: readonly string[];
  /** Time since the command began; null if the task did not run. */
  readonly startMs: number | null;
  readonly durationMs: number | null;
}

/** One device of the machine. */
export interface DeviceResult {
  /** Its id in this machine. */
  readonly id: string;
  /** Name of the device in the project. */
  readonly device: string;
  /** Where its C source is. */
  readonly source: 'project' | 'qemu';
  readonly driver: 'project' | 'linux or none';
  /** Whether it has a reference model. */
  readonly checker: boolean;
  /** Its planned tests in the guest. */
  readonly tests: readonly TestResult[];
  /** Null if it has no checker, or this run was not checked. */
  readonly verdict: Verdict | null;
}

/** `result`: as init printed it; null if the guest ended before. */
export interface TestResult extends KtapResult {
  /** Name of the suite on the console: see TestSuite. */
  readonly suite: string;
  readonly result: TestStatus | null;
  /** Its last lines on the console; empty if it passed. */
  readonly lastLines: readonly string[];
}

/** The reproducible part: equal inputs give equal results with the deterministic clock. */
export interface RunResult {
  readonly exitCode: ExitCode;
  readonly guest: Pick<
    BootResult,
    | 'outcome'
    | 'reason'
    | 'accelerator'
    | 'clock'
    | 'warnings'
    | 'splats'
    | 'driverMessages'
    | 'lastLines'
    | 'qemuExit'
  >;
  /** In the order of the configuration; empty with `--nodev`. */
  readonly devices: readonly DeviceResult[];
}

export interface SuiteTime {
  readonly suite: string;
  readonly startMs: number;
  /** Null if the guest ended before. */
  readonly endMs: number | null;
}

/** The part that depends on the host and on the time of the run. */
export interface RunCircumstances {
  readonly runId: string;
  /** The command line. */
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly stages: readonly Stage[];
  /** Empty if nothing had to be built. */
  readonly build: readonly BuildTask[];
  /** ccache's counts for the builds before the boot; null if nothing was compiled through ccache. */
  readonly compileCache: { readonly hits: number; readonly misses: number; readonly errors: number } | null;
  readonly timing: BootResult['timing'];
  /** Times of the tests that began, host milliseconds since QEMU's start. */
  readonly suites: readonly SuiteTime[];
  /** Why this accelerator was chosen. */
  readonly acceleratorReason: string;
  /** The part of QEMU's trace that was dropped because it concerns other devices, such as the console's UART. */
  readonly dropped: BootResult['dropped'];
  readonly qemuMessages: readonly string[];
  /** Absolute paths by name: `console`, `events`, `qemu`, … */
  readonly files: Readonly<Record<string, string>>;
  /** The command to run next. */
  readonly next: string;
}

export interface RunReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly result: RunResult;
  readonly host: RunCircumstances;
}

/** The results of the devices. `expected`: suite names of the planned tests. */
export function deviceResults(
  instances: readonly DeviceInstance[],
  {
    expected,
    suites,
    verdicts,
  }: {
    readonly expected: readonly string[];
    readonly suites: readonly TestSuite[];
    readonly verdicts: readonly InstanceVerdict[];
  },
): readonly DeviceResult[] {
  return instances.map(({ id, device, files }) => ({
    id,
    device: device.description.name,
    source: files.qemu.length > 0 ? 'project' : 'qemu',
    driver: files.driver === undefined ? 'linux or none' : 'project',
    checker: device.checker !== undefined,
    tests: expected
      .filter((suite) => instanceOf(suite) === id)
      .map((suite) =>
        testResult(
          suite,
          suites.find((one) => one.id === suite),
        ),
      ),
    verdict: verdicts.find((one) => one.id === id)?.verdict ?? null,
  }));
}

function testResult(suite: string, found: TestSuite | undefined): TestResult {
  if (found === undefined) {
    const problems = ['the test did not begin'];
    return { suite, result: null, planned: undefined, tests: [], problems, lastLines: [] };
  }
  const { ktap, result = null, lastLines } = found;
  const passed = result === 'pass' && ktap.problems.length === 0;
  return { suite, result, ...ktap, lastLines: passed ? [] : lastLines };
}

export function makeReport(
  boot: BootResult,
  devices: readonly DeviceResult[],
  circumstances: Omit<RunCircumstances, 'timing' | 'dropped' | 'suites' | 'qemuMessages'>,
): RunReport {
  const { outcome, reason, accelerator, clock, warnings, splats, driverMessages, lastLines, qemuExit } = boot;
  const verdicts = devices.flatMap(({ verdict }) => verdict ?? []);
  return {
    schema: REPORT_SCHEMA,
    result: {
      exitCode: exitCodeOf(outcome, verdicts),
      guest: { outcome, reason, accelerator, clock, warnings, splats, driverMessages, lastLines, qemuExit },
      devices,
    },
    host: {
      ...circumstances,
      timing: boot.timing,
      suites: boot.suites.map(({ id, timing: { startMs, endMs = null } }) => ({ suite: id, startMs, endMs })),
      dropped: boot.dropped,
      qemuMessages: boot.qemuMessages,
    },
  };
}

/**
 * The reproducible part of the report as text: equal for two deterministic runs of
 * the same machine. Replay commands are left out because they contain host paths.
 */
export function comparable({ schema, result }: RunReport): string {
  return JSON.stringify(
    { schema, result },
    (key, value: unknown) => (key === 'replay' ? undefined : value),
    2,
  );
}

/** The content of report.json. */
export function reportJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
