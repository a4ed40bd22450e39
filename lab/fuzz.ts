// SPDX-License-Identifier: MIT
/** `fuzz`: a campaign, or one script again, on a QEMU that is brought up to date first. */
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostClock } from '../vm/clock.js';
import type { DeviceDescription } from '../vm/device.js';
import { campaign, type CampaignResult, type FuzzRequest, replay } from './search/campaign.js';
import { rawSpeed } from './search/raw.js';
import { MachineError, type MachinePorts } from './search/machine.js';
import type { AnyScript, AnySearch } from './search/search.js';
import type { Result, Services } from '../tasks/config/services.js';
import { EXIT, StopwatchError } from '../lib/errors.js';
import type { Task, TaskContext } from '../tasks/engine/task.js';
import { bringUpToDate, toolchain } from '../tasks/build/toolchain.js';
import { coverageWords, forgetCoverage, readCoverage } from './coverage.js';
import { checkFurther, SHRINK, wrongTrace } from './fuzz-checks.js';
import { counted, report, searchOf } from './fuzz-report.js';
import { type Layout, layoutOf } from '../tasks/build/layout.js';

const DEFAULT_SECONDS = 60;
const SILENCE_MS = 20_000;
/** One script in this many saves the VM and loads it into a new process: a tenth of the time goes there. */
const EVENTFUL_EVERY = 160;
/** The same where lines are counted: there, it is not speed that matters. */
const COUNTED_EVERY = 8;
/** Two QEMUs at work, and a third being reset. */
const LANES = 3;
/** Decisions that were not met are named up to this number. */
const SHOWN = 12;
/** Enough for a second or two. */
const RAW_OPERATIONS = 200_000;
/** Parts of a campaign whose number nobody tells. */
const UNKNOWN_COUNT = 65_536;

export interface FuzzOptions {
  /** Budget; without either, a minute. */
  readonly operations: number | undefined;
  readonly seconds: number | undefined;
  readonly seed: number | undefined;
  /** From 1. */
  readonly shard: { readonly index: number; readonly count: number } | undefined;
  /** Absolute paths. */
  readonly replay: string | undefined;
  readonly qemu: string | undefined;
  /** Only measure how fast QEMU answers the commands of a search. */
  readonly raw: boolean;
}

export async function fuzzDevice(services: Services, options: FuzzOptions): Promise<Result> {
  const layout = layoutOf(services.loaded.config, services.loaded.paths);
  const tools = await toolchain(services);
  const { description } = tools.device;
  const how = await searchOf(tools.device);
  let result: Result | undefined;
  const task: Task = {
    name: 'device:fuzz',
    title: options.replay === undefined ? 'Device: fuzz' : 'Device: one script again',
    deps: options.qemu === undefined ? ['qemu:build'] : [],
    inputs: {},
    outputs: [],
    jobs: 'one',
    always: 'a search is made every time',
    run: async (context) => {
      const directory = join(layout.work, 'fuzz');
      await mkdir(directory, { recursive: true });
      const counts = services.loaded.config.build.variant === 'coverage' && options.qemu === undefined;
      const request = {
        qemu: options.qemu ?? layout.qemu,
        directory,
        silenceMs: SILENCE_MS,
        orderly: counts,
      };
      const ports: MachinePorts = {
        processes: context.processes,
        clock: hostClock,
        env: context.env,
        signal: context.signal,
      };
      result = await (options.raw
        ? raw(how, options, request, ports)
        : options.replay === undefined
          ? search(
              services,
              how,
              options,
              request,
              ports,
              context,
              counts ? { layout, description } : undefined,
            )
          : again(how, options.replay, request, ports)
      ).catch((cause: unknown) => {
        if (!(cause instanceof MachineError)) throw cause;
        throw new StopwatchError('qemu-not-started', `${request.qemu} cannot be used: ${cause.message}`, {
          hint: 'It must be a QEMU with this device: npx stopwatch update builds one.',
          cause,
        });
      });
      if (context.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while searching');
      const { exitCode } = result;
      if (exitCode === EXIT.differs)
        throw new StopwatchError('model-differs', 'The device and the model differ');
      if (exitCode === EXIT.guest) throw new StopwatchError('qemu-died', 'QEMU crashed or hung');
      if (exitCode !== EXIT.passed)
        throw new StopwatchError('test-failed', 'Not all of the device was reached');
    },
  };
  try {
    await bringUpToDate(tools, [task.name], [task]);
  } catch (error) {
    if (result === undefined || services.signal.aborted) throw error;
  }
  if (result === undefined) throw new StopwatchError('internal', 'The search ended well without a result');
  return result;
}

/** What a search on one QEMU cannot be faster than. */
async function raw(
  how: AnySearch,
  { seed = 1, operations = RAW_OPERATIONS }: FuzzOptions,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Result> {
  const speed = await rawSpeed(how.target, { ...request, seed, operations }, ports);
  const rate = (count: number): number => Math.round(count / speed.seconds);
  const micros = ((speed.processor / speed.operations) * 1e6).toFixed(1);
  return {
    exitCode: EXIT.passed,
    verdict: [
      `Raw          ${rate(speed.operations)} operations/s (${rate(speed.commands)} commands/s) of one QEMU, ${micros} µs of its processor time for each, nothing worked out or compared`,
    ],
    data: speed,
  };
}

async function search(
  { environment }: Services,
  how: AnySearch,
  options: FuzzOptions,
  request: FuzzRequest,
  ports: MachinePorts,
  context: TaskContext,
  coverage: { readonly layout: Layout; readonly description: DeviceDescription } | undefined,
): Promise<Result> {
  const seed = options.seed ?? randomInt(2 ** 32);
  const shard = options.shard ?? shardOf(environment);
  const operations = options.operations ?? Number.POSITIVE_INFINITY;
  const seconds =
    options.seconds ?? (options.operations === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY);
  if (coverage !== undefined) await forgetCoverage(coverage.layout, coverage.description);
  context.log(`seed ${seed}, part ${shard.index} of ${shard.count}, ${request.qemu}`);
  const done = await campaign(
    how.target,
    {
      ...request,
      seed,
      shard,
      operations,
      seconds,
      eventfulEvery: coverage === undefined ? EVENTFUL_EVERY : COUNTED_EVERY,
      lanes: LANES,
      shrink: SHRINK,
      onProgress: (progress) => {
        context.log(`${counted(progress)}, ${Math.round(progress.memory / 2 ** 20)} MiB`);
        if (Number.isFinite(operations)) context.progress(progress.operations, operations, 'steps');
      },
    },
    ports,
  );
  const { finding, ...progress } = done;
  const data = { seed, shard, ...progress };
  const words = `${counted(progress)} (seed ${seed})`;
  if (finding === undefined) {
    if (context.signal.aborted) return { exitCode: EXIT.passed };
    const checked = await checkFurther(how, seed, request, ports);
    const reached =
      coverage && coverageWords(await readCoverage(coverage.layout, coverage.description, context));
    const exitCode = checked.exitCode === EXIT.passed ? (reached?.exitCode ?? EXIT.passed) : checked.exitCode;
    return {
      exitCode,
      verdict: [
        `Fuzz         no difference in ${words}`,
        ...decisionWords(done.decisions),
        ...(checked.verdict ?? []),
        ...(reached?.verdict ?? []),
      ],
      data: { ...data, ...checked.data, ...(reached === undefined ? {} : { coverage: reached.data }) },
      ...(checked.next === undefined ? {} : { next: checked.next }),
    };
  }
  const file = join(request.directory, `seed-${seed}-script-${finding.index}.json`);
  const told = await report(how, finding.script, finding.outcome, file, request, ports, [
    `Seed ${seed}, script ${finding.index}: ${finding.from} operations made ${finding.script.operations.length}.`,
  ]);
  const { index, from, after, afterSeconds, tries, minimal } = finding;
  return {
    ...told,
    verdict: [
      `Fuzz         after ${finding.after} operations and ${finding.afterSeconds.toFixed(1)} s (seed ${seed}), made short in ${finding.tries} tries${finding.minimal ? '' : ' (unfinished)'}:`,
      ...told.verdict,
    ],
    data: { ...data, finding: { index, from, after, afterSeconds, tries, minimal, ...told.data } },
  };
}

/** How much of the contract was carried out: a short campaign need not come to everything. */
function decisionWords(decisions: CampaignResult<AnyScript>['decisions']): readonly string[] {
  if (decisions === undefined) return [];
  const { total, reached, missed } = decisions;
  return [
    `Contract     ${reached} of ${total} decisions (operation × state × timeout) carried out and compared`,
    ...missed.slice(0, SHOWN).map((name) => `Not met      ${name}`),
    ...(missed.length > SHOWN ? [`Not met      and ${missed.length - SHOWN} more`] : []),
  ];
}

async function again(
  how: AnySearch,
  file: string,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Result> {
  const script = await how.readScript(file).catch((cause: unknown) => {
    throw new StopwatchError('bad-usage', cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const outcome = await replay(how.target, script, request, ports);
  if (outcome.result === 'agree') {
    // What a guest sees is right; is what the device says of itself?
    const { wrong, verdict: judged } = await how.traceOf(script, request, ports);
    if (wrong !== undefined) return { ...wrongTrace(wrong, judged), data: { file, wrong } };
    const verdict = [`Replay       no difference in ${script.operations.length} operations of ${file}`];
    return { exitCode: EXIT.passed, verdict, data: { file, operations: script.operations.length } };
  }
  const told = await report(how, script, outcome, undefined, request, ports);
  return { ...told, data: { file, ...told.data } };
}

/** Continuous integration says which of its parallel jobs this is: from 1, or Kubernetes from 0 and without their number. */
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
    `The part of the campaign is ${index} of ${count ?? 'an unknown number'}: expected it from 1 to that`,
    { hint: 'Give --shard I/N, or correct CI_NODE_INDEX and CI_NODE_TOTAL.' },
  );
}
