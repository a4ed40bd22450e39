// SPDX-License-Identifier: MIT
/** `fuzz`: a campaign, or one script again, on a QEMU that is brought up to date first. */
import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { operationWords, scriptLines, tell, toldLines } from '../../device/fuzz/report.js';
import { readScript, replayScript } from '../../device/fuzz/regressions.js';
import { formatScript, type Script } from '../../device/fuzz/script.js';
import { stopwatchTarget } from '../../device/fuzz/target.js';
import { hostClock } from '../../vm/clock.js';
import {
  campaign,
  type CampaignResult,
  type Failed,
  type FuzzRequest,
  observe,
  type Progress,
} from '../../vm/fuzz/campaign.js';
import type { MachinePorts } from '../../vm/fuzz/machine.js';
import type { FuzzOptions, Result, Services } from '../cli/services.js';
import { EXIT, StopwatchError } from '../core/errors.js';
import type { Task, TaskContext } from '../core/task.js';
import { shellQuote } from '../host/process.js';
import { bringUpToDate, toolchain } from './commands.js';
import { layoutOf } from './layout.js';

const DEFAULT_SECONDS = 60;
const SILENCE_MS = 20_000;
/** One script in this many saves the VM and loads it into a new process: a tenth of the time goes there. */
const EVENTFUL_EVERY = 256;
const SHRINK_TRIES = 3000;
/** Parts of a campaign whose number nobody tells. */
const UNKNOWN_COUNT = 65_536;

export async function fuzzDevice(services: Services, options: FuzzOptions): Promise<Result> {
  const layout = layoutOf(services.loaded.config, services.loaded.paths);
  const tools = await toolchain(services);
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
      const request = { qemu: options.qemu ?? layout.qemu, directory, silenceMs: SILENCE_MS };
      const ports: MachinePorts = {
        processes: context.processes,
        clock: hostClock,
        env: context.env,
        signal: context.signal,
      };
      result =
        options.replay === undefined
          ? await search(services, options, request, ports, context)
          : await again(options.replay, request, ports);
      if (context.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while searching');
      const { exitCode } = result;
      if (exitCode === EXIT.differs)
        throw new StopwatchError('model-differs', 'The device and the model differ');
      if (exitCode !== EXIT.passed) throw new StopwatchError('qemu-died', 'QEMU crashed or hung');
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

async function search(
  { environment }: Services,
  options: FuzzOptions,
  request: FuzzRequest,
  ports: MachinePorts,
  context: TaskContext,
): Promise<Result> {
  const seed = options.seed ?? randomInt(2 ** 32);
  const shard = options.shard ?? shardOf(environment);
  const operations = options.operations ?? Number.POSITIVE_INFINITY;
  const seconds =
    options.seconds ?? (options.operations === undefined ? DEFAULT_SECONDS : Number.POSITIVE_INFINITY);
  context.log(`seed ${seed}, part ${shard.index} of ${shard.count}, ${request.qemu}`);
  const done = await campaign(
    stopwatchTarget,
    {
      ...request,
      seed,
      shard,
      operations,
      seconds,
      eventfulEvery: EVENTFUL_EVERY,
      shrinkTries: SHRINK_TRIES,
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
    return { exitCode: EXIT.passed, verdict: [`Fuzz         no difference in ${words}`], data };
  }
  const file = join(request.directory, `seed-${seed}-script-${finding.index}.json`);
  const told = await report(finding.script, finding.outcome, file, request, ports, [
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

async function again(file: string, request: FuzzRequest, ports: MachinePorts): Promise<Result> {
  const script = await readScript(file).catch((cause: unknown) => {
    throw new StopwatchError('bad-usage', cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const outcome = await replayScript(script, request, ports);
  if (outcome.result === 'agree') {
    const verdict = [`Replay       no difference in ${script.operations.length} operations of ${file}`];
    return { exitCode: EXIT.passed, verdict, data: { file, operations: script.operations.length } };
  }
  const told = await report(script, outcome, undefined, request, ports);
  return { ...told, data: { file, ...told.data } };
}

/** What is said of a script that fails, and the script written to the file, if one is given. */
async function report(
  script: Script,
  outcome: Failed,
  file: string | undefined,
  request: FuzzRequest,
  ports: MachinePorts,
  about: readonly string[] = [],
): Promise<
  Result & { readonly verdict: readonly string[]; readonly data: Readonly<Record<string, unknown>> }
> {
  const observed = await observe(stopwatchTarget, script, outcome.operation, request, ports);
  const told = tell(script, outcome, observed);
  const operation = script.operations[outcome.operation];
  const differs = `${told.compared}: expected ${told.expected}, got ${told.actual}`;
  if (file !== undefined) await writeFile(file, formatScript(script, [...about, differs]));
  const next =
    file === undefined
      ? undefined
      : shellQuote({ file: 'npx', args: ['stopwatch', 'fuzz', '--replay', file] });
  return {
    exitCode: outcome.result === 'differs' ? EXIT.differs : EXIT.guest,
    verdict: [
      ...scriptLines(script, outcome.operation),
      '',
      ...toldLines(told),
      ...('stderr' in outcome ? ['', ...outcome.stderr.slice(0, 40)] : []),
    ],
    data: {
      ...outcome,
      ...told,
      operationWords: operation === undefined ? 'machine reset at the end' : operationWords(operation),
      shortest: script.operations.length,
      ...(file === undefined ? {} : { script: file, replay: next }),
    },
    ...(next === undefined ? {} : { next }),
  };
}

function counted({
  operations,
  scripts,
  commands,
  reloads,
  seconds,
}: Progress | CampaignResult<Script>): string {
  const rate = Math.round(operations / Math.max(seconds, 0.001));
  return `${operations} operations in ${scripts} scripts, ${commands} answers compared, ${reloads} reloads, ${seconds.toFixed(1)} s, ${rate} operations/s`;
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
