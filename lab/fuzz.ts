// SPDX-License-Identifier: MIT
/** `fuzz`: runs a campaign, or one script again, on an up-to-date QEMU. */
import { randomInt } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, messageOf, StopwatchError } from '../lib/errors.js';
import { layoutOf } from '../tasks/build/layout.js';
import { toolchain } from '../tasks/build/toolchain.js';
import type { Result, Services } from '../tasks/config/services.js';
import type { TaskContext } from '../tasks/engine/task.js';
import { hostClock } from '../vm/clock.js';
import { chooseDevice } from '../tasks/config/choose-device.js';
import type { ProjectDevice } from '../vm/device.js';
import { forgetCoverage, withCoverage } from './coverage.js';
import {
  countsLine,
  decisionLines,
  type FuzzResult,
  reportFailure,
  reportTrace,
  type SearchRun,
} from './fuzz-report.js';
import { runAsTask } from './run-task.js';
import { campaign, runScript } from './search/campaign.js';
import { MachineError } from './search/machine.js';
import { type AnyScript, type AnySearch, isSearchable } from './search/search.js';
import { runAndCheckTrace, traceCheck } from './search/trace-check.js';

const DEFAULT_SECONDS = 60;
const SILENCE_MS = 20_000;
/** One script in this many saves the VM and loads it into a new process, which takes a third of the time. */
const EVENTFUL_EVERY = 40;
/** The same for a coverage build, where speed does not matter. */
const COUNTED_EVENTFUL_EVERY = 8;
/** Two QEMUs at work, and a third being reset. */
const WORKERS = 3;
/** Limits of minimising a script; the help of `fuzz` states the seconds. */
const SHRINK = { tries: 3000, seconds: 20, idleSeconds: 8 };
/** Operations with QEMU's trace switched on, which is slow. */
const TRACED_OPERATIONS = 3000;
/** Limit of that on a busy host; the help of `fuzz` states how long the checks take together. */
const TRACED_SECONDS = 8;
/** Assumed number of shards if CI does not give one. */
const UNKNOWN_COUNT = 65_536;

export interface FuzzOptions {
  /** Name of the device; needed where several can be searched. */
  readonly device?: string | undefined;
  /** Without either limit, a campaign takes a minute. */
  readonly operations?: number | undefined;
  readonly seconds?: number | undefined;
  readonly seed?: number | undefined;
  /** `index` from 1. */
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** Absolute path of the script to run instead of a campaign. */
  readonly replay?: string | undefined;
}

export async function fuzzDevice(services: Services, options: FuzzOptions): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const tools = await toolchain(services);
  const { device, search } = await searchOf(tools.devices, options.device);
  const script = options.replay === undefined ? undefined : await readScript(search, options.replay);
  const counts = config.build.variant === 'coverage';
  return runAsTask(
    tools,
    {
      name: 'device:fuzz',
      title: options.replay === undefined ? 'Device: fuzz' : 'Device: one script again',
      deps: ['qemu:build'],
      jobs: 'one',
    },
    async (context) => {
      const { processes, env, signal } = context;
      const { name } = device.device.description;
      const directory = join(layout.work, 'fuzz', name);
      await mkdir(directory, { recursive: true });
      const run: SearchRun = {
        device: name,
        search,
        request: { qemu: layout.qemu, directory, silenceMs: SILENCE_MS, orderly: counts },
        ports: { processes, env, signal, clock: hostClock },
      };
      try {
        if (script !== undefined) return await replayScript(run, script, options.replay);
        if (counts) await forgetCoverage(layout, device);
        const result = await runCampaign(run, options, services.environment, counts, context);
        if (!counts || result.exitCode !== EXIT.passed || signal.aborted) return result;
        return await withCoverage(result, layout, device, search, context);
      } catch (cause) {
        if (!(cause instanceof MachineError)) throw cause;
        throw new StopwatchError('qemu-not-started', `${layout.qemu} cannot be used: ${cause.message}`, {
          hint: 'Build it again: npx stopwatch update --force qemu:build',
          cause,
        });
      }
    },
    ({ exitCode }) => {
      if (exitCode === EXIT.differs)
        return new StopwatchError('model-differs', 'The device and the model differ');
      if (exitCode === EXIT.guest) return new StopwatchError('qemu-died', 'QEMU crashed or hung');
      return new StopwatchError('test-failed', 'Part of the device was not reached');
    },
  );
}

/** The device that is searched. Throws 'bad-usage' where none can be, or several and none is named. */
export async function searchOf(
  devices: readonly ProjectDevice[],
  name: string | undefined,
): Promise<{ readonly device: ProjectDevice; readonly search: AnySearch }> {
  const chosen = chooseDevice(devices, {
    name,
    can: 'be searched',
    applies: ({ device }) => isSearchable(device),
    hint: 'fuzz and mutants need device.search(), which returns a DeviceSearch of #device-kit/fuzz.',
  });
  const { device } = chosen;
  if (!isSearchable(device)) throw new StopwatchError('internal', 'A device without a search was chosen');
  return { device: chosen, search: await device.search() };
}

async function runCampaign(
  run: SearchRun,
  options: FuzzOptions,
  environment: Services['environment'],
  counts: boolean,
  context: TaskContext,
): Promise<FuzzResult> {
  const { search, request, ports } = run;
  const seed = options.seed ?? randomInt(2 ** 32);
  const shard = options.shard ?? shardOf(environment);
  const operations = options.operations ?? Number.POSITIVE_INFINITY;
  const unlimited = options.operations === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY;
  context.log(`seed ${seed}, part ${shard.index} of ${shard.count}, ${request.qemu}`);
  const { finding, decisions, ...counted } = await campaign(
    search,
    {
      ...request,
      seed,
      shard,
      operations,
      seconds: options.seconds ?? unlimited,
      eventfulEvery: counts ? COUNTED_EVENTFUL_EVERY : EVENTFUL_EVERY,
      workers: WORKERS,
      shrink: SHRINK,
      onProgress: (progress) => {
        context.log(`${countsLine(progress)}, ${Math.round(progress.memory / 2 ** 20)} MiB`);
        if (Number.isFinite(operations)) context.progress(progress.operations, operations, 'steps');
      },
    },
    ports,
  );
  const data = { seed, shard, ...counted, ...(decisions && { decisions }) };
  if (finding === undefined) {
    if (ports.signal.aborted) return { exitCode: EXIT.passed, verdict: [], data };
    const checking = performance.now();
    const checked = await checkFurther(run, seed);
    const seconds = ((performance.now() - checking) / 1000).toFixed(1);
    const verdict = [
      `Fuzz         no difference in ${countsLine(counted)} (seed ${seed})`,
      ...decisionLines(decisions),
      ...checked.verdict,
      `Checks       ${seconds} s, after the search`,
    ];
    return { ...checked, verdict, data: { ...data, ...checked.data } };
  }
  const { script, outcome, ...about } = finding;
  const file = join(request.directory, `seed-${seed}-script-${finding.index}.json`);
  const shortened = `Seed ${seed}, script ${finding.index}: ${finding.from} operations minimised to ${script.operations.length}.`;
  const reported = await reportFailure(run, script, outcome, { file, about: shortened });
  const verdict = [
    `Fuzz         after ${finding.after} operations and ${finding.afterSeconds.toFixed(1)} s (seed ${seed}), minimised in ${finding.tries} tries${finding.minimal ? '' : ' (unfinished)'}:`,
    ...reported.verdict,
  ];
  return { ...reported, verdict, data: { ...data, finding: { ...about, ...reported.data } } };
}

/** Checks a device in which the campaign found nothing: its trace, and what no script can show. Stops at the first check that fails. */
async function checkFurther(run: SearchRun, seed: number): Promise<FuzzResult> {
  const { search, request, ports } = run;
  const traceOptions = { seed, operations: TRACED_OPERATIONS, seconds: TRACED_SECONDS, shrink: SHRINK };
  const traced = await traceCheck(search, traceOptions, request, ports);
  if (traced.wrong !== undefined)
    return reportTrace(run, traced, {
      file: join(request.directory, `seed-${seed}-trace.json`),
      about: `Seed ${seed}, its trace.`,
    });
  const { events, confirmed, logged } = traced;
  const verdict = [
    `Trace        ${events} events agree, ${confirmed} confirmed by QEMU's own trace, ${logged} guest errors logged`,
  ];
  const data: Record<string, unknown> = { trace: { events, confirmed, logged } };
  for (const check of search.extraChecks) {
    const { wrong, summary, data: more } = await check.run(request, ports);
    verdict.push(`${check.title.padEnd(12)} ${wrong ?? summary}`);
    data[check.name] = { ...more, wrong };
    if (wrong !== undefined) return { exitCode: EXIT.differs, verdict, data };
  }
  return { exitCode: EXIT.passed, verdict, data };
}

async function readScript(search: AnySearch, file: string): Promise<AnyScript> {
  try {
    return search.parseScript(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new StopwatchError('bad-usage', `--replay ${file}: ${messageOf(cause)}`, {
      hint: 'Give a script that fuzz has saved: its report names the file.',
      cause,
    });
  }
}

async function replayScript(
  run: SearchRun,
  script: AnyScript,
  file: string | undefined,
): Promise<FuzzResult> {
  const { search, request, ports } = run;
  const outcome = await runScript(search, script, request, ports);
  if (outcome.result !== 'agree') {
    const reported = await reportFailure(run, script, outcome);
    return { ...reported, data: { file, ...reported.data } };
  }
  // The answers are right; the trace may still be wrong.
  const traced = await runAndCheckTrace(search, script, request, ports);
  if (traced.wrong !== undefined) return reportTrace(run, traced);
  const operations = script.operations.length;
  return {
    exitCode: EXIT.passed,
    verdict: [`Replay       no difference in ${operations} operations of ${file}`],
    data: { file, operations },
  };
}

/** The shard given by CI's variables for parallel jobs: numbered from 1, or by Kubernetes from 0 and without a total. */
export function shardOf(environment: Services['environment']): { index: number; count: number } {
  const number = (name: string): number | undefined => {
    const text = environment[name];
    return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
  };
  const count = number('CI_NODE_TOTAL');
  const job = number('JOB_COMPLETION_INDEX');
  const index = number('CI_NODE_INDEX') ?? (job === undefined ? undefined : job + 1);
  if (index === undefined) return { index: 1, count: 1 };
  if (index >= 1 && index <= (count ?? UNKNOWN_COUNT)) return { index, count: count ?? UNKNOWN_COUNT };
  throw new StopwatchError(
    'bad-usage',
    `The part of the campaign is ${index} of ${count ?? 'an unknown number'}: expected a number from 1 to the total`,
    { hint: 'Give --shard I/N, or correct CI_NODE_INDEX and CI_NODE_TOTAL.' },
  );
}
