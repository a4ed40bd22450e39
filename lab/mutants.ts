// SPDX-License-Identifier: MIT
/** `mutants`: small faults in the C device or in the model, one at a time, each judged. A fault that nothing sees is a hole in the checks. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostClock } from '../vm/clock.js';
import type { Device } from '../vm/device.js';
import type { FuzzRequest } from './search/campaign.js';
import { MachineError, type MachinePorts } from './search/machine.js';
import type { Mutant } from './search/mutate.js';
import type { AnySearch, MutantVerdict } from './search/search.js';
import type { Result, Services } from '../tasks/config/services.js';
import type { Config } from '../tasks/config/schema.js';
import { EXIT, StopwatchError } from '../lib/errors.js';
import { mapConcurrent } from '../lib/map-concurrent.js';
import type { Task, TaskContext } from '../tasks/engine/task.js';
import { writeFileAtomic } from '../lib/files/atomic.js';
import { readArguments } from './argued.js';
import { sourceOf } from '../tasks/build/device-again.js';
import { searchOf } from './fuzz-report.js';
import { bringUpToDate, toolchain } from '../tasks/build/toolchain.js';
import { bootTargets } from '../tasks/build/graph.js';
import { type Layout, layoutOf } from '../tasks/build/layout.js';
import { ModelCopy, modelMutants } from './model-mutants.js';
import { bootMutant } from './mutant-boot.js';
import { fateOf, type Judged, summary } from './mutants-report.js';
import { type BuildCommands, buildCommands, relink } from '../tasks/build/relink.js';

/** QEMU may hang because of a fault. */
const SILENCE_MS = 5000;
/** How many times longer the second search is. */
const PATIENCE = 8;
/** A lane often waits: for a QEMU that hangs, or for one that starts. */
const MORE_LANES = 1;
const PROGRAM = 'qemu-system-aarch64';

export interface MutantsOptions {
  /** Faults in the model instead of the device. */
  readonly model: boolean;
  /** Those whose names match. */
  readonly only: RegExp | undefined;
  /** One in this many. */
  readonly every: number;
  readonly seed: number;
  /** Of the search, for each mutant. */
  readonly operations: number;
  /** Absolute path of another build directory of QEMU. */
  readonly build: string | undefined;
}

export async function judgeMutants(services: Services, options: MutantsOptions): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const tools = await toolchain(services);
  const search = await searchOf(tools.device);
  let result: Result | undefined;
  const task: Task = {
    name: 'device:mutants',
    title: 'Device: mutants',
    // A model's faults need a QEMU, the device's one that is linked again, and a guest to boot it with.
    deps: options.build !== undefined ? [] : options.model ? ['qemu:build'] : bootTargets(config),
    inputs: {},
    outputs: [],
    jobs: 'make',
    always: 'mutants are judged every time',
    run: async (context) => {
      const directory = join(layout.work, 'mutants');
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const bench: Bench = {
        search,
        device: tools.device,
        layout,
        config,
        root: paths.device,
        directory,
        environment: services.environment,
        options,
        context,
      };
      const judged = await (options.model ? judgeModel(bench) : judgeDevice(bench));
      const file = join(directory, 'mutants.json');
      await writeFileAtomic(file, `${JSON.stringify(judged, null, 2)}\n`);
      result = summary(judged, file);
      const { exitCode } = result;
      if (exitCode !== EXIT.passed) throw new StopwatchError('test-failed', 'Mutants survived');
    },
  };
  try {
    await bringUpToDate(tools, [task.name], [task]);
  } catch (error) {
    if (result === undefined || services.signal.aborted) throw error;
  }
  if (result === undefined) throw new StopwatchError('internal', 'The mutants were judged without a result');
  return result;
}

/** What every mutant is judged with. */
interface Bench {
  readonly search: AnySearch;
  readonly device: Device;
  readonly layout: Layout;
  readonly config: Config;
  readonly root: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly options: MutantsOptions;
  readonly context: TaskContext;
}

function choose<M extends Mutant>(all: readonly M[], { only, every }: MutantsOptions): readonly M[] {
  const chosen = all.filter(({ id }, index) => index % every === 0 && (only === undefined || only.test(id)));
  if (chosen.length === 0) throw new StopwatchError('bad-usage', `None of ${all.length} mutants is chosen`);
  return chosen;
}

/** Faults in the C source: by a search, and by the cross-check of a boot. */
async function judgeDevice(bench: Bench): Promise<readonly Judged[]> {
  const { search, layout, root, directory, options, context } = bench;
  const { description } = bench.device;
  const commands = await buildCommands(
    options.build ?? layout.qemuBuild,
    sourceOf(description).link,
    PROGRAM,
    context,
  );
  const source = await readFile(join(root, sourceOf(description).target), 'utf8');
  const equivalents = await readArguments(root, description.argued?.mutants);
  const chosen = choose(search.mutants(source), options);
  let done = 0;
  const judged = await mapConcurrent(chosen, context.jobs + MORE_LANES, async (mutant, index, lane) => {
    const place = `${index + 1}/${chosen.length}`;
    const own = { ...bench, directory: join(directory, `lane-${lane}`) };
    const { program, failed } = await makeMutant(commands, mutant, own.directory, context);
    let fate: Judged | undefined;
    if (failed !== undefined) {
      context.log(`${place} does not compile: ${mutant.line}: ${mutant.id}`);
    } else {
      const equivalent = equivalents.get(mutant.id);
      const verdict = await judgePatiently(own, search, program, equivalent !== undefined);
      // Another build directory need not belong to this guest.
      const boot = options.build === undefined ? await bootMutant(program, own, context) : undefined;
      fate = noted(mutant, { verdict, boot, equivalent }, place, context);
    }
    context.progress(++done, chosen.length, 'steps');
    return fate;
  });
  const compiled = judged.filter((one) => one !== undefined);
  context.log(`${chosen.length - compiled.length} of ${chosen.length} do not compile`);
  return compiled;
}

/** Faults in the model: the device is right then, and the search says where the two differ. */
async function judgeModel(bench: Bench): Promise<readonly Judged[]> {
  const { search, layout, root, directory, options, context } = bench;
  const { description } = bench.device;
  if (search.model === undefined)
    throw new StopwatchError('bad-usage', `The search of ${description.name} names no sources of its model`);
  const equivalents = await readArguments(root, description.argued?.modelMutants);
  const chosen = choose(await modelMutants(search.model, root), options);
  const copy = await ModelCopy.make(root, join(directory, 'model'));
  const judged: Judged[] = [];
  for (const [index, mutant] of chosen.entries()) {
    context.progress(index, chosen.length, 'steps');
    const place = `${index + 1}/${chosen.length}`;
    if (!(await copy.differs(mutant))) {
      context.log(`${place} no fault, or no program: ${mutant.line}: ${mutant.id}`);
      continue;
    }
    const equivalent = equivalents.get(mutant.id);
    const qemu = options.build === undefined ? layout.qemu : join(options.build, PROGRAM);
    const verdict = await copy
      .load(mutant)
      .then(async (faulty) => judgePatiently(bench, faulty ?? search, qemu, equivalent !== undefined))
      .catch((error: unknown): MutantVerdict => {
        if (context.signal.aborted || error instanceof MachineError) throw error;
        // It contradicts itself, or what the scripts know: that is seen before any device is asked.
        const what = error instanceof Error ? error.message : String(error);
        return { killer: 'start', operations: 0, seconds: 0, shortest: undefined, script: undefined, what };
      });
    judged.push(noted(mutant, { verdict, boot: undefined, equivalent }, place, context));
  }
  context.log(`${chosen.length - judged.length} of ${chosen.length} are no fault, or no program`);
  return judged;
}

function noted(
  mutant: Mutant,
  fate: Pick<Judged, 'verdict' | 'boot' | 'equivalent'>,
  place: string,
  context: TaskContext,
): Judged {
  if (context.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while judging mutants');
  const { source: _, ...about } = mutant;
  const judged: Judged = { ...about, ...fate };
  const { verdict, boot } = fate;
  context.log(
    `${place} ${fateOf(judged)}, ${verdict.operations} operations, ${verdict.seconds.toFixed(2)} s, shortest ${verdict.shortest ?? '-'}: ${mutant.line}: ${mutant.id} (${verdict.what}${boot === undefined ? '' : `; boot ${boot.seconds.toFixed(1)} s: ${boot.what}`})`,
  );
  return judged;
}

/** A survivor that nobody has argued for gets a second, longer search, from another seed. */
async function judgePatiently(
  { directory, options, context }: Bench,
  search: AnySearch,
  qemu: string,
  argued: boolean,
): Promise<MutantVerdict> {
  const { seed, operations } = options;
  const { processes, env, signal } = context;
  const ports: MachinePorts = { processes, env, signal, clock: hostClock };
  const request: FuzzRequest = { qemu, directory, silenceMs: SILENCE_MS };
  const seconds = Number.POSITIVE_INFINITY;
  const first = await search.judgeMutant(request, { seed, operations, seconds }, ports);
  if (first.killer !== undefined || argued || signal.aborted) return first;
  const more = { seed: seed + 1, operations: operations * PATIENCE, seconds };
  const again = await search.judgeMutant(request, more, ports);
  return {
    ...again,
    operations: first.operations + again.operations,
    seconds: first.seconds + again.seconds,
  };
}

async function makeMutant(
  commands: BuildCommands,
  mutant: Mutant,
  directory: string,
  context: TaskContext,
): Promise<{ program: string; failed: readonly string[] | undefined }> {
  await mkdir(directory, { recursive: true });
  const source = join(directory, 'mutant.c');
  const program = join(directory, PROGRAM);
  await writeFile(source, mutant.source);
  const { failed } = await relink(
    commands,
    { source, program, object: join(directory, 'mutant.o') },
    context,
  );
  return { program, failed };
}
