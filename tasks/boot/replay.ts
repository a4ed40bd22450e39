// SPDX-License-Identifier: MIT
/** `replay`: repeats a recorded execution, compares it with the recording, and checks it again. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { RunReport } from '../../vm/report/report.js';
import { boot } from '../../vm/runner.js';
import type { BootResult } from '../../vm/types.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { runFiles, type RunDirectory } from '../build/machine.js';
import { checkedRun } from './checked-run.js';
import { type Layout, layoutOf } from '../build/layout.js';
import { latestRecorded, readRecording, type Recorded } from './recording.js';
import { readSavedCheck } from './saved-check.js';
import type { GdbRequest } from './gdb.js';
import type { Result, Services } from '../config/services.js';
import { sha256File } from '../../lib/files/sha256.js';
import { failureOf } from './run-failure.js';
import { nextCommand } from './next-command.js';
import { closing } from './test-run.js';
import { commandLine } from '../../lib/process/command-line.js';

/** An event in a stream. */
export interface EventPlace {
  /** Of the device; undefined: of the only one that has events. */
  readonly id: string | undefined;
  readonly seq: bigint;
}

export interface ReplayOptions {
  /** A report's directory or its name; 'latest': the newest one with a recording. */
  readonly report: string;
  /** Also one that was recorded elsewhere. */
  readonly foreign: boolean;
  /** Stop before the event `at` and wait for a debugger; undefined: run it to its end. */
  readonly gdb: GdbRequest | undefined;
  /** The event; undefined: the divergence's. */
  readonly at: EventPlace | undefined;
}

export async function replayRun(services: Services, options: ReplayOptions): Promise<Result> {
  const layout = layoutOf(services.loaded.config, services.loaded.paths);
  const devices = await services.devices();
  const recorded = await readRecording(await reportDirectory(layout, options.report), devices, {
    work: layout.work,
    foreign: options.foreign,
  });
  if (options.gdb !== undefined) {
    const [{ standBefore }, { withGdbAddress }] = await Promise.all([
      import('./replay-gdb.js'),
      import('./gdb.js'),
    ]);
    return withGdbAddress(options.gdb, async (address) =>
      standBefore(services, recorded, { address, at: options.at }),
    );
  }
  if (options.at !== undefined) {
    throw new StopwatchError('bad-usage', '--at says where --gdb is to stop, and --gdb was not given', {
      hint: `npx stopwatch replay --gdb --at ${options.at.id === undefined ? '' : `${options.at.id}:`}${options.at.seq}`,
    });
  }
  return again(services, layoutOfRecorded(services, recorded), recorded);
}

async function again(services: Services, layout: Layout, recorded: Recorded): Promise<Result> {
  const before = runFiles(recorded.directory, '');
  const was = await recordedReport(recorded);
  const check = await readSavedCheck(before.crosscheck);
  const { report, run } = await checkedRun(
    {
      config: { ...services.loaded.config, vm: recorded.vm },
      layout,
      instances: recorded.parts.devices,
      compileCache: undefined,
      stages: [],
      build: [],
      next: nextCommand(false, recorded.parts.devices, recorded.variant),
      options: recorded.options,
      command: commandLine('replay', recorded.directory),
      machine: async () => ({ ...recorded.parts, acceleratorReason: 'replayed' }),
      check,
      // The recording ends the run, at the same instruction.
      toTheEnd: true,
    },
    {
      processes: await services.processes(),
      environment: services.environment,
      signal: services.signal,
      boot: async (request, ports) => endedAsRecorded(await boot(request, ports), was),
    },
  );
  if (report.result.exitCode === EXIT.interrupted) {
    throw new StopwatchError('interrupted', 'Interrupted while the recording was replayed');
  }
  const difference = await firstDifference(before, run, was);
  const failure =
    difference === undefined
      ? failureOf(report, run)
      : new StopwatchError('invalid-evidence', `The replay is not what was recorded: ${difference}`, {
          hint: 'QEMU itself has not replayed what it recorded, or a file of either run was changed.',
          log: run.events,
        });
  const shown = closing(report);
  return {
    exitCode: failure === undefined ? report.result.exitCode : failure.exitCode,
    ...shown,
    verdict: [
      ...(shown.verdict ?? []),
      difference === undefined
        ? `Replay       events and console are those of ${recorded.directory}`
        : `Replay       differs from ${recorded.directory}`,
      ...(await sinceThen(layout, recorded)),
    ],
    data: { report: report.host.files['report'], identical: difference === undefined },
    afterwards: async () => (await import('./run-page.js')).writePageOf(services, run.directory),
    ...(failure === undefined ? {} : { error: failure }),
  };
}

/** A directory, a file in it, or the name of a report. Throws 'file-unreadable'. */
async function reportDirectory(layout: Layout, given: string): Promise<string> {
  if (given === 'latest') {
    const latest = await latestRecorded(layout.reports);
    if (latest !== undefined) return latest;
    throw new StopwatchError('file-unreadable', `No run in ${layout.reports} was recorded`, {
      hint: 'npx stopwatch run-test-quit --record',
    });
  }
  const path = resolve(given);
  const found = [path, dirname(path), join(layout.reports, given)].find((directory) =>
    existsSync(runFiles(directory, '').report),
  );
  if (found !== undefined) return found;
  throw new StopwatchError(
    'bad-usage',
    `There is no report ${given}, neither here nor in ${layout.reports}`,
    {
      hint: 'npx stopwatch replay, without a name, takes the newest one that has a recording.',
    },
  );
}

/** The layout of the variant that was recorded. */
export function layoutOfRecorded({ loaded }: Services, { variant }: Recorded): Layout {
  const { config, paths } = loaded;
  return layoutOf({ ...config, build: { ...config.build, variant } }, paths);
}

export async function recordedReport({ directory }: Recorded): Promise<RunReport> {
  const file = runFiles(directory, '').report;
  try {
    const report: RunReport = JSON.parse(await readFile(file, 'utf8'));
    return report;
  } catch (cause) {
    throw new StopwatchError('file-unreadable', `Cannot read ${file}`, { cause });
  }
}

/** If the recorded run was ended from outside, the replay ends by itself: the order to quit is in the recording. */
function endedAsRecorded(result: BootResult, { result: { guest } }: RunReport): BootResult {
  if (result.outcome !== 'qemu-died' || result.qemuExit.code !== 0) return result;
  return { ...result, outcome: guest.outcome, reason: guest.reason };
}

/** QEMU's address of a memory region differs in each process. */
const ADDRESS = /\bmr 0x[0-9a-f]+/g;
/** The time in the end marker. If QEMU was asked to quit, it may not include the last instructions. */
const END = / now=\d+\n$/;

/** Describes the first difference; undefined if both streams and both consoles are identical. */
async function firstDifference(
  before: RunDirectory,
  after: RunDirectory,
  { result: { guest } }: RunReport,
): Promise<string | undefined> {
  const byItself = guest.outcome === 'passed' || guest.outcome === 'failed';
  const linesOf = async (file: string): Promise<readonly string[]> => {
    const text = (await readFile(file, 'latin1')).replaceAll(ADDRESS, 'mr');
    return (byItself ? text : text.replace(END, '\n')).split('\n');
  };
  for (const name of ['events', 'console'] as const) {
    const was = await linesOf(before[name]);
    const is = await linesOf(after[name]);
    const at = was.findIndex((line, index) => line !== is[index]);
    const line = at < 0 && is.length > was.length ? was.length : at;
    if (line < 0) continue;
    const words = (lines: readonly string[]) => (lines[line] === undefined ? 'its end' : `'${lines[line]}'`);
    return `line ${line + 1} of ${after[name]}: expected ${words(was)}, got ${words(is)}`;
  }
  return undefined;
}

/** Notes that a replay does not run what was built since. */
async function sinceThen(layout: Layout, { sums }: Recorded): Promise<string[]> {
  const changed: string[] = [];
  for (const [name, path, sum] of [
    ['QEMU', layout.qemu, sums.qemu],
    ['the kernel', layout.kernel, sums.kernel],
  ] as const) {
    if ((await sha256File(path).catch(() => undefined)) !== sum) changed.push(name);
  }
  return changed.length === 0
    ? []
    : [`Note         since then ${changed.join(' and ')} changed: the recording's own ran`];
}
