// SPDX-License-Identifier: MIT
/** One boot, cross-checked while it runs; its report and logs are saved. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Config } from '../config/schema.js';
import type { CompileCacheUse } from '../engine/events.js';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';
import { type InstanceVerdict, MachineCrosscheck } from '../../vm/crosscheck/index.js';
import type { DeviceInstance } from '../../vm/device.js';
import { type PlannedTest, plannedTests } from '../../vm/guest-tests.js';
import { isFatal } from '../../vm/console/splat.js';
import { hostClock } from '../../vm/clock.js';
import { junitXml } from '../../vm/report/junit.js';
import {
  type BuildTask,
  deviceResults,
  makeReport,
  reportJson,
  type RunReport,
  type Stage,
} from '../../vm/report/report.js';
import type { BootPorts, BootRequest, RunningMachine } from '../../vm/boot-request.js';
import { boot as bootMachine } from '../../vm/runner.js';
import { type BootOptions, type BootResult, powersOffWhenDone } from '../../vm/types.js';
import {
  modelSettings,
  machineParts,
  makeRunDirectory,
  type RunDirectory,
  MONITOR_PATTERNS,
  monitorOptions,
} from '../build/machine.js';
import type { Layout } from '../build/layout.js';
import { withSourceLines } from './source-lines.js';
import { checkedInstances, type SavedCheck } from './saved-check.js';
import { commandLine } from '../../lib/process/command-line.js';

const MIB = 1024 * 1024;
/** Bytes of the console and of the devices' trace, at the most: a test prints some kilobytes, also with a kernel that complains. */
const TEST_SIZES = { console: 4 * MIB, events: 1024 * MIB };
/** A person may look at much. */
const SHELL_SIZES = { console: 256 * MIB, events: 4096 * MIB };

export interface CheckedRunRequest {
  readonly config: Config;
  readonly layout: Layout;
  /** The machine's devices. */
  readonly instances: readonly DeviceInstance[];
  readonly options: Omit<BootOptions, 'vm'>;
  /** The command as it was typed. */
  readonly command: string;
  /** What was done before the boot. */
  readonly stages: readonly Stage[];
  readonly build: readonly BuildTask[];
  /** What the compiler cache did before the boot, if anything was compiled. */
  readonly compileCache: CompileCacheUse | undefined;
  /** The command to type next, given how the run ended. */
  readonly next: (result: {
    readonly boot: BootResult;
    readonly verdicts: readonly InstanceVerdict[];
    readonly run: RunDirectory;
  }) => string;
  /** Another machine than what was built; `run`: where this run's files go. */
  readonly machine?: ((run: RunDirectory) => Promise<Machine>) | undefined;
  /** Otherwise than the configuration says. */
  readonly check?: SavedCheck | undefined;
  /** A test goes on to its end when the cross-check has failed. */
  readonly toTheEnd?: true;
}

type Machine = ReturnType<typeof machineParts>;

export interface CheckedRunPorts {
  readonly processes: Processes;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onConsoleLine?: (line: string) => void;
  /** `boot`, or what puts it on a terminal. */
  readonly boot?: (request: BootRequest, ports: BootPorts) => Promise<BootResult>;
}

/** Rejects only when the host fails: what the guest and QEMU do is in the report. */
export async function checkedRun(
  request: CheckedRunRequest,
  ports: CheckedRunPorts,
): Promise<{ readonly report: RunReport; readonly run: RunDirectory }> {
  const { config, layout, instances, options } = request;
  const started = new Date();
  const startedMs = hostClock.now();
  const run = await makeRunDirectory(layout, started);
  const parts = await (request.machine?.(run) ?? machineParts(config, layout, instances, options));
  const planned = plannedTests(parts);
  const traced = options.trace && !options.nodev;
  const saved = traced ? (request.check ?? (await checkOf(request, planned))) : undefined;
  const replay = commandLine('crosscheck', run.events);
  // None of a machine whose devices have no checker.
  const live =
    saved && saved.instances.length > 0
      ? new MachineCrosscheck(checkedInstances(saved, instances, replay), isFatal)
      : undefined;
  if (saved) await writeFile(run.crosscheck, `${JSON.stringify(saved, null, 2)}\n`);

  let machine: RunningMachine | undefined;
  const result = await (ports.boot ?? bootMachine)(
    {
      parts,
      monitorPatterns: saved?.instances.some(({ monitor }) => monitor !== null) ? MONITOR_PATTERNS : [],
      directory: tmpdir(),
      logs: { console: run.console, events: run.events, qemu: run.qemu },
      limits: {
        firstOutputSeconds: config.vm.firstOutputSeconds,
        silenceSeconds: config.vm.silenceSeconds,
        totalSeconds: config.vm.totalSeconds,
      },
      sizes: powersOffWhenDone(options) ? TEST_SIZES : SHELL_SIZES,
      // A test that hangs is asked where; what comes from outside would be recorded.
      input: powersOffWhenDone(options) && request.machine === undefined,
    },
    {
      processes: ports.processes,
      clock: hostClock,
      env: baseEnvironment(ports.environment),
      interrupt: ports.signal,
      onStart: (running) => {
        machine = running;
      },
      onConsoleLine: (line) => {
        live?.consoleLine(line);
        ports.onConsoleLine?.(line);
      },
      onEvents: (bytes) => {
        live?.feed(bytes);
        // A test is over when every device is found wrong; the others have yet to be judged. A user at a shell is told at
        // the end.
        if (live?.failed === true && powersOffWhenDone(options) && !request.toTheEnd) {
          machine?.stop('the cross-check has failed');
        }
      },
    },
  );
  const { splats } = result;
  const explained = {
    ...result,
    splats: await withSourceLines(splats, { instances, layout, cross: config.build.cross }, ports),
  };
  const judgingMs = hostClock.now();
  const verdicts = live?.end() ?? [];
  const stages = [...request.stages, ...bootStages(result, verdicts, hostClock.now() - judgingMs)];
  const devices = options.nodev
    ? []
    : deviceResults(instances, {
        expected: planned.map(({ suite }) => suite),
        suites: result.suites,
        verdicts,
      });
  const report = makeReport(explained, devices, {
    runId: run.id,
    command: request.command,
    startedAt: started.toISOString(),
    durationMs: hostClock.now() - startedMs,
    stages,
    build: request.build,
    compileCache: request.compileCache ?? null,
    acceleratorReason: parts.acceleratorReason,
    files: {
      directory: run.directory,
      console: run.console,
      ...(traced ? { events: run.events, crosscheck: run.crosscheck } : {}),
      qemu: run.qemu,
      report: run.report,
      junit: run.junit,
      page: run.page,
      manifest: layout.manifest,
    },
    next: request.next({ boot: result, verdicts, run }),
  });
  // Whole or not at all, but not flushed to the disk: a power cut leaves worse than a missing report.
  await Promise.all([
    writeFile(`${run.report}.partial`, reportJson(report)).then(() =>
      rename(`${run.report}.partial`, run.report),
    ),
    writeFile(run.junit, junitXml(report)),
  ]);
  await rm(run.owner, { force: true });
  return { report, run };
}

async function checkOf(
  { config, layout, instances, options }: CheckedRunRequest,
  planned: readonly PlannedTest[],
): Promise<SavedCheck> {
  const monitors = await monitorOptions(config, layout, instances);
  const checked = instances.filter(({ device }) => device.checker !== undefined);
  return {
    instances: checked.map((instance) => {
      const { id, device } = instance;
      const tests = powersOffWhenDone(options) ? planned.filter((one) => one.id === id) : [];
      const monitor = monitors.get(id);
      return {
        id,
        device: device.description.name,
        how: modelSettings(config, instance),
        guest: tests.length > 0,
        // A test that says in its head what it causes also says at its end what it has caused.
        guestMayBeSilent: tests.every(({ test }) => test.causes === undefined),
        atLeast: sums(tests.map(({ test }) => test.causes ?? {})),
        monitor:
          monitor === undefined
            ? null
            : {
                base: monitor.accesses?.base?.toString() ?? null,
                interrupt: monitor.interrupt ?? null,
              },
      };
    }),
  };
}

function sums(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all)
    for (const [name, count] of Object.entries(one)) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** The boot's own stages, from the times at which the console spoke. */
function bootStages(boot: BootResult, verdicts: readonly InstanceVerdict[], endMs: number): Stage[] {
  const { testStartMs, testEndMs, endMs: goneMs } = boot.timing;
  const stages: Stage[] = [];
  const add = (name: string, status: Stage['status'], from: number, to: number) =>
    stages.push({ name, status, durationMs: to - from });
  const tested = boot.outcome === 'passed' || boot.outcome === 'failed';
  if (testStartMs === undefined) {
    add('boot', boot.outcome === 'ended' ? 'passed' : 'failed', 0, goneMs);
  } else {
    add('boot', 'passed', 0, testStartMs);
    for (const { id, result, timing } of boot.suites) {
      add(`test ${id}`, result === 'pass' ? 'passed' : 'failed', timing.startMs, timing.endMs ?? goneMs);
    }
    if (testEndMs !== undefined) add('power off', tested ? 'passed' : 'failed', testEndMs, goneMs);
  }
  if (verdicts.length > 0) {
    // It runs beside the boot; this is what remains to be done afterwards.
    const agree = verdicts.every(({ verdict }) => verdict.result === 'agree');
    add('cross-check', agree ? 'passed' : 'failed', 0, endMs);
  }
  return stages;
}
