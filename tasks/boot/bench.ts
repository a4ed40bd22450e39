// SPDX-License-Identifier: MIT
/** `bench`: the benches of the machine's devices, once for their times and once for the exits that they cause. */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { commandLine } from '../../lib/process/command-line.js';
import { type Counted, ExitCounter } from '../../vm/bench/exits.js';
import { measureOnHost } from '../../vm/bench/host.js';
import { KvmCounter, type KvmExits, kvmExits, QUERY_STATS } from '../../vm/bench/kvm-exits.js';
import { benchMark } from '../../vm/bench/marks.js';
import { benchRows, benchTable, brokenBounds, type BenchRow, type Timed } from '../../vm/bench/summary.js';
import { type DeviceInstance, instancesOf, type ProjectDevice } from '../../vm/device.js';
import { chooseAccelerator, hostFacts } from '../../vm/qemu/accelerator.js';
import type { RunReport } from '../../vm/report/report.js';
import type { RunningMachine } from '../../vm/boot-request.js';
import { boot } from '../../vm/runner.js';
import { bootTargets } from '../build/graph.js';
import { layoutOf } from '../build/layout.js';
import { MONITOR_PATTERNS, type RunDirectory } from '../build/machine.js';
import { bringUpToDate, toolchain } from '../build/toolchain.js';
import type { Config } from '../config/schema.js';
import type { Result, Services } from '../config/services.js';
import type { TaskContext } from '../engine/task.js';
import { checkedRun, type CheckedRunPorts } from './checked-run.js';
import { nextCommand } from './next-command.js';
import { failureOf } from './run-failure.js';
import { deviceLines, testTask } from './test-run.js';

const ROUNDS = { times: 5, exits: 1 };
/** Operations of a row where exits are counted. */
const COUNTED_OPERATIONS = 16;

/**
 * What a guest writes to an ioeventfd is an exit like any other, but KVM ends it, and QEMU's trace, under TCG too, does not
 * have it. Without it the guest makes the same accesses.
 */
const UNHIDDEN = ['-global', 'virtio-mmio.ioeventfd=off'];

/** One boot of the machine that has run its benches. */
interface Pass {
  readonly report: RunReport;
  readonly run: RunDirectory;
  readonly timed: readonly Timed[];
  readonly counted: readonly Counted[];
  /** Where KVM runs: its own counters. */
  readonly kvm: KvmCounter['found'];
  /** Rows that could not be measured, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

/** `check`: only count, and fail where a bound is broken. */
export async function bench(services: Services, { check }: { readonly check: boolean }): Promise<Result> {
  const { config, paths } = services.loaded;
  const tools = await toolchain(services);
  const instances = instancesOf(tools.devices, config.vm);
  if (!instances.some(({ files }) => files.bench !== undefined)) {
    throw new StopwatchError('bad-config', 'No device of the machine has a bench', {
      hint: "Write guest_fs/NAME/NAME_bench.sh; vm.devices names the machine's devices.",
    });
  }
  const layout = layoutOf(config, paths);
  const pass = async (kind: keyof typeof ROUNDS, context: TaskContext): Promise<Pass> => {
    const timed: Timed[] = [];
    const skipped = new Map<string, string>();
    const counter = new ExitCounter();
    let machine: RunningMachine | undefined;
    const kvm = new KvmCounter(async () => kvmExits(await machine?.execute('query-stats', QUERY_STATS)));
    const ports: CheckedRunPorts = {
      processes: context.processes,
      environment: services.environment,
      signal: context.signal,
      onConsoleLine: (line) => {
        context.log(line);
        if (kind === 'exits') kvm.line(line);
        const mark = benchMark(line);
        if (mark?.kind === 'end') timed.push(mark);
        if (mark?.kind === 'skip') skipped.set(mark.row, mark.reason);
      },
      boot: async (request, bootPorts) =>
        boot(
          {
            ...request,
            observer: counter,
            // Also where no device has a checker.
            monitorPatterns: kind === 'exits' ? MONITOR_PATTERNS : [],
          },
          {
            ...bootPorts,
            onStart: (running) => {
              machine = running;
              bootPorts.onStart?.(running);
            },
          },
        ),
    };
    const { report, run } = await checkedRun(
      {
        config: benchConfig(config, kind),
        layout,
        instances,
        stages: tools.stages,
        build: tools.build.tasks,
        compileCache: tools.cache?.use(),
        next: nextCommand(false, instances, config.build.variant),
        options: { nodev: false, rw: false, guest: 'bench_and_quit', trace: kind === 'exits' },
        command: commandLine('bench', ...(check ? ['--check'] : [])),
      },
      ports,
    );
    const failure = failureOf(report, run);
    if (failure !== undefined) throw failure;
    return {
      report,
      run,
      timed: kind === 'times' ? timed : [],
      counted: counter.found,
      kvm: kvm.found,
      skipped,
    };
  };
  let timed: readonly Timed[] = [];
  let last: Pass | undefined;
  const load = [loadavg()[0] ?? 0];
  const task = testTask(config, async (context) => {
    if (!check) timed = [...(await pass('times', context)).timed, ...hostRows(tools.devices, instances)];
    load.push(loadavg()[0] ?? 0);
    last = await pass('exits', context);
  });
  await bringUpToDate(
    tools,
    [...bootTargets(config), 'vm:bench'],
    [{ ...task, name: 'vm:bench', title: 'VM: measure, count exits' }],
  );
  if (last === undefined) throw new StopwatchError('internal', 'The bench ended well without a report');
  const { report, run, counted, kvm, skipped } = last;
  const rows = benchRows(timed, counted);
  const data = { rows, kvm, accelerator: report.result.guest.accelerator, load, report: run.report };
  await writeFile(run.bench, `${JSON.stringify(data, null, 2)}\n`);
  const broken = brokenBounds(rows);
  return {
    exitCode: EXIT.passed,
    text: `${benchTable(rows).join('\n')}\n`,
    data,
    verdict: [
      boundsLine(rows, broken),
      ...broken.map((line) => `  ${line}`),
      ...[...skipped].map(([row, reason]) => `Absent       ${row}: ${reason}`),
      ...absentDevices(tools.devices, instances),
      ...kvm.map(({ row, operations, exits }) => `KVM          ${row}: ${kvmWords(exits, operations)}`),
      ...deviceLines(report.result.devices),
      `Counted by   ${counterWords(report)}`,
      ...(check ? [] : [`Host load    ${load.map((one) => one.toFixed(2)).join(' before, ')} after`]),
      `Report       ${run.report}`,
      `Picture      ${run.page}`,
    ],
    page: run.page,
    afterwards: async () => (await import('./run-page.js')).writePageOf(services, run.directory),
    ...(check ? checked(rows, broken, run) : {}),
  };
}

function benchConfig(config: Config, kind: keyof typeof ROUNDS): Config {
  const { vm } = config;
  const isKvm = chooseAccelerator(hostFacts(), vm).accelerator === 'kvm';
  return {
    ...config,
    crosscheck: { ...config.crosscheck, monitor: true, slackMs: Math.max(config.crosscheck.slackMs, 10_000) },
    vm: {
      ...vm,
      // Time is the host's; a count is the same by either clock, and by instructions the same each time.
      clock: kind === 'times' ? 'realtime' : vm.clock,
      append: [
        ...vm.append,
        `BENCH_ROUNDS=${ROUNDS[kind]}`,
        ...(kind === 'times' ? [] : [`BENCH_OPS=${COUNTED_OPERATIONS}`]),
        ...(kind === 'exits' && isKvm ? ['BENCH_PAUSE=1'] : []),
      ],
      qemuArgs: [...vm.qemuArgs, ...(kind === 'times' ? [] : UNHIDDEN)],
      firstOutputSeconds: Math.max(vm.firstOutputSeconds, 60),
      silenceSeconds: Math.max(vm.silenceSeconds, 60),
      totalSeconds: Math.max(vm.totalSeconds, 600),
    },
  };
}

/** In as many rounds as the guest makes. */
function hostRows(known: readonly ProjectDevice[], instances: readonly DeviceInstance[]): readonly Timed[] {
  const present = known.filter(({ device }) => instances.some((one) => one.device === device));
  const rows = present.flatMap(({ device }) => device.hostRows ?? []);
  return Array.from({ length: ROUNDS.times }, () => rows.flatMap(measureOnHost)).flat();
}

function absentDevices(known: readonly ProjectDevice[], instances: readonly DeviceInstance[]): string[] {
  return known.flatMap(({ device, files }) => {
    const { name } = device.description;
    const isPresent = instances.some((one) => one.device === device);
    if (isPresent === (files.bench !== undefined)) return [];
    const reason = isPresent
      ? `it has no guest_fs/${name}/${name}_bench.sh`
      : 'vm.devices does not name it, so the machine does not have it';
    return [`Absent       ${name}: ${reason}`];
  });
}

function boundsLine(rows: readonly BenchRow[], broken: readonly string[]): string {
  const bounds = rows.filter(({ holds }) => holds !== null).length;
  return `Bounds       ${bounds - broken.length} of ${bounds} hold: device exits per operation`;
}

function kvmWords(exits: KvmExits, operations: number): string {
  const each = Object.entries(exits).map(([name, count]) => `${name} ${(count / operations).toFixed(2)}`);
  return `${each.join(', ')} per operation`;
}

function counterWords({ result: { guest } }: RunReport): string {
  return guest.accelerator === 'tcg'
    ? 'QEMU, whose trace has each access of the guest to a device (TCG: each would be an exit under KVM)'
    : "QEMU, whose trace has each access that KVM handed to it; KVM's own are not among them";
}

function checked(rows: readonly BenchRow[], broken: readonly string[], run: RunDirectory): Partial<Result> {
  const error =
    broken.length > 0
      ? new StopwatchError('test-failed', `Bounds of device exits are broken: ${broken.length}`, {
          lastLines: broken,
          log: run.events,
          hint: 'The bound is in the bench of the device, guest_fs/NAME/NAME_bench.sh: exits=.',
        })
      : rows.some(({ holds }) => holds)
        ? undefined
        : new StopwatchError('test-failed', 'No row of the benches has a bound that could be checked', {
            log: run.console,
            hint: 'A row says how many device exits an operation makes: exits=N.',
          });
  return error === undefined ? {} : { exitCode: error.exitCode, error };
}
