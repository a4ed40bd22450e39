// SPDX-License-Identifier: MIT
/** `all` and `run-test-quit`: boot, test, judge, and an exit code that means it. */
import { didYouMean } from '../config/closest.js';
import type { Result, Services } from '../config/services.js';
import type { Config } from '../config/schema.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Task } from '../engine/task.js';
import { coveredLines, summary } from '../../vm/crosscheck/index.js';
import { type DeviceInstance, instancesOf } from '../../vm/device.js';
import { isNamed, plannedTests } from '../../vm/guest-tests.js';
import type { DeviceResult, RunReport, TestResult } from '../../vm/report/report.js';
import type { BootOptions, KtapResult } from '../../vm/types.js';
import { machineParts, type RunDirectory, MONITOR_PATTERNS } from '../build/machine.js';
import { bringUpToDate, toolchain } from '../build/toolchain.js';
import { bootTargets } from '../build/graph.js';
import { checkedRun } from './checked-run.js';
import { nextCommand } from './next-command.js';
import { failureOf } from './run-failure.js';
import { layoutOf } from '../build/layout.js';
import { recordable, startRecording } from './recording.js';
import { commandLine } from '../../lib/process/command-line.js';

/** What `all` ends with: the verdict, and what is made beside it. */
export const ALL_TARGETS = ['vm:test', 'vm:manifest', 'editor:commands'];

/** The test as a task. `run` boots, tests and judges. */
export function testTask(config: Config, run: Task['run']): Task {
  return {
    name: 'vm:test',
    title: 'VM: boot, test, cross-check',
    // Not the manifest: nothing of the test waits for hashes.
    deps: bootTargets(config),
    inputs: {},
    outputs: [],
    jobs: 'one',
    always: 'a test is run every time',
    run,
  };
}

/** What is run, and how it was asked for. */
export interface TestRequest {
  /** As it was typed, after `stopwatch`. */
  readonly args: readonly string[];
  readonly guest: 'test_and_quit' | 'stress_and_quit';
  readonly record: boolean;
  /** Of the run; what is built goes by the services'. */
  readonly config: Config;
  /** Only this device of the project is tested; absent: all that have such a test. */
  readonly device?: string | undefined;
  /** Only the tests that one of these patterns names; absent: all. */
  readonly only?: readonly string[] | undefined;
  /** At most so often, until the first run that does not pass; each with the next seed. */
  readonly repeat?: number | undefined;
  /** Of the first run; `repeat` needs one. */
  readonly seed?: number | undefined;
  /** Gets each report. */
  readonly onReport?: ((report: RunReport) => void) | undefined;
  /** False: without the manifest, which nothing of the test waits for. True if absent. */
  readonly manifest?: boolean;
}

export async function testRun(
  services: Services,
  { args, guest, record, config, device, only, repeat, seed: first, onReport, manifest = true }: TestRequest,
): Promise<Result> {
  const { paths } = services.loaded;
  if (record) recordable(config);
  const layout = layoutOf(config, paths);
  const tools = await toolchain(services);
  const instances = instancesOf(tools.devices, config.vm);
  const tested =
    device === undefined
      ? undefined
      : instances.filter((one) => one.device.description.name === device).map(({ id }) => id);
  const options = { nodev: false, rw: false, guest, trace: true, tested, only } as const;
  checkPatterns(instances, { ...options, vm: config.vm });
  const recorded = (seed: number | undefined) => async (run: RunDirectory) => {
    // What KVM does cannot be recorded.
    const emulated = { ...config, vm: { ...config.vm, accelerator: 'tcg' as const } };
    const parts = machineParts(emulated, layout, instances, { ...options, seed });
    const patterns = config.crosscheck.monitor ? MONITOR_PATTERNS : [];
    return {
      ...(await startRecording(paths.work, run.directory, parts, config.build.variant, patterns)),
      acceleratorReason: 'recorded',
    };
  };
  let report: RunReport | undefined;
  let directory = '';
  let failure: StopwatchError | undefined;
  let seed = first;
  const test = testTask(config, async (context) => {
    for (let round = 1; round <= (repeat ?? 1); round++) {
      if (round > 1 && seed !== undefined) seed += 1;
      const judged = await checkedRun(
        {
          config,
          layout,
          instances,
          stages: tools.stages,
          build: tools.build.tasks,
          compileCache: tools.cache?.use(),
          next: nextCommand(record, instances, config.build.variant),
          options: { ...options, seed },
          command: commandLine(...args),
          machine: record ? recorded(seed) : undefined,
        },
        {
          processes: context.processes,
          environment: services.environment,
          signal: context.signal,
          onConsoleLine: (line) => context.log(line),
        },
      );
      report = judged.report;
      onReport?.(report);
      ({ directory } = judged.run);
      failure = failureOf(judged.report, judged.run);
      if (failure !== undefined) throw failure;
    }
  });
  let error: StopwatchError | undefined;
  try {
    await bringUpToDate(tools, manifest ? ALL_TARGETS : ['vm:test'], [test]);
  } catch (thrown) {
    // Without a report there was no test; interrupted, there is no verdict.
    if (report === undefined || report.result.exitCode === EXIT.interrupted) throw thrown;
    error = failure;
    if (error === undefined) throw thrown;
  }
  if (report === undefined) throw new StopwatchError('internal', 'The test ended well without a report');
  return {
    exitCode: report.result.exitCode,
    ...withRepeated(closing(report, record), repeat, { first, last: seed, failed: failure !== undefined }),
    data: { report: report.host.files['report'] },
    page: report.host.files['page'],
    sketch: async () => (await import('./run-page.js')).sketchOf(services, directory),
    afterwards: async () => (await import('./run-page.js')).writePageOf(services, directory),
    ...(error === undefined ? {} : { error }),
  };
}

/** Throws 'bad-usage' for a pattern that names no test of this machine. */
export function checkPatterns(
  devices: readonly DeviceInstance[],
  { only = [], ...options }: BootOptions,
): void {
  const all = plannedTests({ devices, options });
  for (const pattern of only) {
    if (all.some((one) => isNamed(one, pattern))) continue;
    const names = all.map(({ suite }) => suite);
    throw new StopwatchError(
      'bad-usage',
      `No test is called '${pattern}'${didYouMean(pattern, names)}. There are: ${names.join(', ') || 'none'}`,
      { hint: 'npx stopwatch test --list' },
    );
  }
}

/** What is said of several runs, before where the report is. */
function withRepeated(
  result: Pick<Result, 'verdict' | 'next'>,
  repeat: number | undefined,
  { first, last, failed }: { first: number | undefined; last: number | undefined; failed: boolean },
): Pick<Result, 'verdict' | 'next'> {
  if (repeat === undefined || first === undefined || last === undefined) return result;
  const line = failed
    ? `Repeated     run ${last - first + 1} of ${repeat} did not pass; the same one again: --seed ${last}`
    : `Repeated     ${repeat} runs passed, seeds ${first} to ${last}`;
  return { ...result, verdict: [...(result.verdict ?? []), line] };
}

/** In front of what is said about one of several devices. */
function prefixOf(devices: readonly DeviceResult[], id: string): string {
  return devices.length > 1 ? `${id}: ` : '';
}

/** What the failed tests printed, at most 40 lines. `prefix`: of their names. */
export function failedTests({ tests }: Pick<KtapResult, 'tests'>, prefix = ''): readonly string[] {
  const lines = tests.flatMap(({ name, status, diagnostics }) =>
    status === 'not ok' ? [...diagnostics, `not ok ${prefix}${name}`] : [],
  );
  return lines.slice(0, 40);
}

/** In words: how many passed, and how many did not. */
export function countTests(documents: readonly Pick<KtapResult, 'tests'>[]): string {
  const tests = documents.flatMap((document) => document.tests);
  const count = (status: string) => tests.filter((test) => test.status === status).length;
  return `${count('ok')} ok, ${count('not ok')} not ok, ${count('skip')} skipped`;
}

/** What the summary ends with. A failure has its own words, and says the next command. */
export function closing({ result, host }: RunReport, recorded = false): Pick<Result, 'verdict' | 'next'> {
  const { guest, devices, exitCode } = result;
  const passed = exitCode === EXIT.passed;
  const test = `${guest.outcome}: ${countTests(devices.flatMap((device) => device.tests))}`;
  const covered = devices.flatMap(({ id, verdict }) => {
    const [said, missing] = verdict === null ? [] : coveredLines(verdict);
    const of = devices.length > 1 ? `${id}: ` : '';
    return [
      ...(said === undefined ? [] : [`Exercised    ${of}${said}`]),
      ...(missing === undefined ? [] : [`  not        ${of}${missing}`]),
    ];
  });
  return {
    verdict: [
      ...(passed || guest.outcome === 'failed' ? [`Guest test   ${test}`] : []),
      ...(passed
        ? [...deviceLines(devices), ...uncheckedLines(devices), ...covered]
        : devices.length > 1
          ? deviceLines(devices)
          : []),
      `Machine      ${guest.accelerator.toUpperCase()} (${host.acceleratorReason}), clock ${guest.clock}`,
      ...(passed ? guest.warnings.map((warning) => `Warning      ${warning}`) : []),
      `Report       ${host.files['report']}`,
      `Picture      ${host.files['page']}`,
      ...(recorded ? [`Recording    npx stopwatch replay ${host.runId}`] : []),
    ],
    next: passed ? host.next : undefined,
  };
}

/** The cross-check of the only device; of several, for each its test and its cross-check. */
export function deviceLines(devices: readonly DeviceResult[]): readonly string[] {
  const [only] = devices;
  if (only === undefined) return [];
  const [test, ...others] = only.tests;
  if (devices.length === 1 && others.length === 0 && (test === undefined || test.suite === only.id))
    return [`Cross-check  ${crosscheckWords(only)}`];
  const width = Math.max(...devices.map(({ id }) => id.length));
  return devices.flatMap((device) => {
    const lines = [...testLines(device), `cross-check: ${crosscheckWords(device)}`];
    return lines.map((line, index) => `  ${(index === 0 ? device.id : '').padEnd(width)}  ${line}`);
  });
}

/** The same without the tests, for a run that has none. */
export function crosscheckLines(devices: readonly DeviceResult[]): readonly string[] {
  const prefix = (id: string): string => (devices.length > 1 ? `${id}: ` : '');
  return devices.map((device) => `Cross-check  ${prefix(device.id)}${crosscheckWords(device)}`);
}

/** Of agreeing devices: which part of the check could not be made. */
function uncheckedLines(devices: readonly DeviceResult[]): readonly string[] {
  return devices.flatMap(({ id, verdict }) =>
    verdict?.result === 'agree'
      ? (verdict.unchecked ?? []).map((what) => `Not checked  ${prefixOf(devices, id)}${what}`)
      : [],
  );
}

function testLines({ id, tests }: DeviceResult): string[] {
  if (tests.length === 0) return ['test: no test'];
  return tests.map((test) => {
    const name = test.suite === id ? '' : ` ${test.suite.slice(id.length + 1)}`;
    return `test${name}: ${testWords(test)}`;
  });
}

function testWords(test: TestResult): string {
  return test.result === null ? `not finished: ${countTests([test])}` : countTests([test]);
}

function crosscheckWords({ checker, verdict }: DeviceResult): string {
  if (verdict !== null) return summary(verdict);
  return checker ? 'not judged' : 'no checker';
}
