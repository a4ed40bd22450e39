// SPDX-License-Identifier: MIT
/** The one value that a run comes to. Terminal, JSON and JUnit are functions of it. */
import type { ExitCode } from '../../lib/errors.js';
import type { InstanceVerdict, Verdict } from '../crosscheck/index.js';
import type { DeviceInstance } from '../device.js';
import { instanceOf, type TestStatus } from '../crosscheck/sections.js';
import { exitCodeOf } from './exit-code.js';
import type { BootResult, KtapResult, TestSuite } from '../types.js';

/** Raised when a reader of older reports would misread a new one. */
export const REPORT_SCHEMA = 4;

/** One part of the work, in order: `build`, `boot`, `test`, `cross-check`, … */
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
  /** Why it was stale, in words. */
  readonly reasons: readonly string[];
  /** Since the command began; null: it did not run. */
  readonly startMs: number | null;
  readonly durationMs: number | null;
}

/** One device of the machine. */
export interface DeviceResult {
  /** Its name in this machine. */
  readonly id: string;
  /** Which of the project's devices it is. */
  readonly device: string;
  /** Who has its C source. */
  readonly source: 'project' | 'qemu';
  readonly driver: 'project' | 'linux or none';
  /** A reference model checks it, where a run is judged. */
  readonly checker: boolean;
  /** Its tests in the guest that had to run. */
  readonly tests: readonly TestResult[];
  /** Null: it has no checker, or this run was not judged. */
  readonly verdict: Verdict | null;
}

/** `result`: what init says of its exit status; null: the guest ended before. */
export interface TestResult extends KtapResult {
  /** As the console has it: see TestSuite. */
  readonly suite: string;
  readonly result: TestStatus | null;
}

/** What the same inputs give again under a deterministic clock. */
export interface RunResult {
  readonly exitCode: ExitCode;
  readonly guest: Pick<
    BootResult,
    'outcome' | 'reason' | 'accelerator' | 'clock' | 'warnings' | 'splats' | 'lastLines' | 'qemuExit'
  >;
  /** In the order of the configuration; none of a machine that was started without them. */
  readonly devices: readonly DeviceResult[];
}

export interface SuiteTime {
  readonly suite: string;
  readonly startMs: number;
  /** Null: the guest ended before. */
  readonly endMs: number | null;
}

/** What belongs to this host and this moment. */
export interface RunCircumstances {
  readonly runId: string;
  /** The command as it was typed. */
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly stages: readonly Stage[];
  /** Empty where nothing was to be built. */
  readonly build: readonly BuildTask[];
  /** Of the builds before the boot; null: nothing was compiled, or not through ccache. */
  readonly compileCache: { readonly hits: number; readonly misses: number; readonly errors: number } | null;
  readonly timing: BootResult['timing'];
  /** Of the tests that began, host milliseconds since QEMU's start. */
  readonly suites: readonly SuiteTime[];
  /** Why this accelerator runs. */
  readonly acceleratorReason: string;
  /** Of QEMU's trace: about other things than the devices, such as the console's UART. They are not kept. */
  readonly dropped: BootResult['dropped'];
  readonly qemuMessages: readonly string[];
  /** By name: `console`, `events`, `qemu`, … Absolute paths. */
  readonly files: Readonly<Record<string, string>>;
  /** The command to type next. */
  readonly next: string;
}

export interface RunReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly result: RunResult;
  readonly host: RunCircumstances;
}

/** What a run says of its devices. `expected`: the tests that were to run, by the names of their suites. */
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
  if (found !== undefined) return { suite, result: found.result ?? null, ...found.ktap };
  return { suite, result: null, planned: undefined, tests: [], problems: ['the test did not begin'] };
}

export function makeReport(
  boot: BootResult,
  devices: readonly DeviceResult[],
  circumstances: Omit<RunCircumstances, 'timing' | 'dropped' | 'suites' | 'qemuMessages'>,
): RunReport {
  const { outcome, reason, accelerator, clock, warnings, splats, lastLines, qemuExit } = boot;
  const verdicts = devices.flatMap(({ verdict }) => verdict ?? []);
  return {
    schema: REPORT_SCHEMA,
    result: {
      exitCode: exitCodeOf(outcome, verdicts),
      guest: { outcome, reason, accelerator, clock, warnings, splats, lastLines, qemuExit },
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
 * The report as text without anything that belongs to the host: equal for two
 * deterministic runs of the same machine. Paths in a replay command are the host's.
 */
export function comparable({ schema, result }: RunReport): string {
  return JSON.stringify(
    { schema, result },
    (key, value: unknown) => (key === 'replay' ? undefined : value),
    2,
  );
}

/** As it stands in report.json. */
export function reportJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
