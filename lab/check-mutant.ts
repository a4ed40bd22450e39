// SPDX-License-Identifier: MIT
/** Runs a mutant through every check, as if it were the device. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '../lib/errors.js';
import { checkedRun } from '../tasks/boot/checked-run.js';
import type { Layout } from '../tasks/build/layout.js';
import type { Config } from '../tasks/config/schema.js';
import type { TaskContext } from '../tasks/engine/task.js';
import { summary } from '../vm/crosscheck/index.js';
import type { DeviceInstance } from '../vm/device.js';
import type { SearchRun } from './fuzz-report.js';
import { campaign } from './search/campaign.js';
import { MachineError } from './search/machine.js';
import type { AnyScript } from './search/search.js';
import { traceCheck } from './search/trace-check.js';

/** How the search and its checks judged a mutant. */
export interface SearchVerdict {
  /** The check that failed; undefined if the mutant survived. */
  readonly detectedBy?: string | undefined;
  /** Operations and seconds until then, without minimising. */
  readonly operations: number;
  readonly seconds: number;
  /** Length and text of the shortest script that shows the fault. */
  readonly shortest?: number | undefined;
  readonly script?: string | undefined;
  /** The first difference, in one line. */
  readonly what: string;
}

/** How a boot judged a mutant. */
export interface BootVerdict {
  readonly detectedBy?: 'cross-check' | 'guest' | 'crash' | undefined;
  readonly seconds: number;
  readonly what: string;
}

/** Half of the scripts save and load the VM: nothing else finds faults in that. */
const EVENTFUL_EVERY = 2;
const SHRINK = { tries: 400, seconds: 15 };
/** Each try starts a process. */
const TRACE_SHRINK = { tries: 120, seconds: 10 };
/** Part of the operations that is repeated with the trace switched on. */
const TRACED_PART = 20;
/** A good boot takes less than a second. One that hangs need not get as long as a user's. */
const BOOT_LIMITS = { firstOutputSeconds: 10, silenceSeconds: 10, totalSeconds: 30 };

const DETECTORS = { differs: 'search', crashed: 'crash', hung: 'hang' } as const;

/** Stops at the first check that detects the mutant. */
export async function checkBySearch(
  { search, request, ports }: Omit<SearchRun, 'device'>,
  { seed, operations: budget }: { readonly seed: number; readonly operations: number },
): Promise<SearchVerdict> {
  const started = performance.now();
  let operations = 0;
  const verdict = (detectedBy: string | undefined, what: string, script?: AnyScript): SearchVerdict => ({
    detectedBy,
    operations,
    seconds: (performance.now() - started) / 1000,
    shortest: script?.operations.length,
    script: script && search.formatScript(script),
    what,
  });
  try {
    const { finding, ...searched } = await campaign(
      search,
      {
        ...request,
        seed,
        operations: budget,
        seconds: Number.POSITIVE_INFINITY,
        shard: { index: 1, count: 1 },
        eventfulEvery: EVENTFUL_EVERY,
        workers: 1,
        shrink: SHRINK,
      },
      ports,
    );
    if (finding !== undefined) {
      const { outcome, script, after, afterSeconds } = finding;
      const what = outcome.result === 'differs' ? `${outcome.part} differs` : outcome.what;
      return {
        ...verdict(DETECTORS[outcome.result], what, script),
        operations: after,
        seconds: afterSeconds,
      };
    }
    const traceOptions = { seed, operations: Math.ceil(budget / TRACED_PART), shrink: TRACE_SHRINK };
    const traced = await traceCheck(search, traceOptions, request, ports);
    operations = searched.operations + traced.operations;
    if (traced.wrong !== undefined) return verdict('trace', traced.wrong, traced.script);
    for (const check of search.extraChecks) {
      const { wrong } = await check.run(request, ports);
      if (wrong !== undefined) return verdict(check.name, wrong);
    }
    return verdict(undefined, 'nothing differs');
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    // QEMU cannot create the device.
    return verdict('start', error.message);
  }
}

/** Boots the guest with its test, as `run-test-quit` does. `qemu`: the mutant. */
export async function checkByBoot(
  qemu: string,
  request: {
    readonly config: Config;
    readonly layout: Layout;
    readonly instances: readonly DeviceInstance[];
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
  },
  { processes, signal }: Pick<TaskContext, 'processes' | 'signal'>,
): Promise<BootVerdict> {
  const { config, layout, instances, directory, environment } = request;
  const reports = join(directory, 'boot');
  const started = performance.now();
  const { report } = await checkedRun(
    {
      config: { ...config, vm: { ...config.vm, ...BOOT_LIMITS } },
      layout: { ...layout, qemu, reports },
      instances,
      stages: [],
      build: [],
      compileCache: undefined,
      next: () => '',
      options: { nodev: false, rw: false, guest: 'test_and_quit', trace: true },
      command: 'npx stopwatch mutants',
    },
    { processes, environment, signal },
  );
  await rm(reports, { recursive: true, force: true });
  const seconds = (performance.now() - started) / 1000;
  const { exitCode, guest, devices } = report.result;
  if (exitCode === EXIT.passed) return { seconds, what: 'nothing differs' };
  if (exitCode === EXIT.differs) {
    const verdict = devices.find((one) => one.verdict !== null && one.verdict.result !== 'agree')?.verdict;
    return { detectedBy: 'cross-check', seconds, what: verdict ? summary(verdict) : '' };
  }
  return { detectedBy: exitCode === EXIT.testFailed ? 'guest' : 'crash', seconds, what: guest.reason };
}
