// SPDX-License-Identifier: MIT
/** `mutants`: small faults in the C device, one at a time, each built and judged. A fault that nothing sees is a hole in the checks. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostClock } from '../../vm/clock.js';
import type { DeviceDescription } from '../../vm/device.js';
import type { FuzzRequest } from '../../vm/fuzz/campaign.js';
import type { MachinePorts } from '../../vm/fuzz/machine.js';
import type { Mutant } from '../../vm/fuzz/mutate.js';
import type { AnySearch, MutantVerdict } from '../../vm/fuzz/search.js';
import type { MutantsOptions, Result, Services } from './services.js';
import { EXIT, StopwatchError } from '../core/errors.js';
import type { Task, TaskContext } from '../core/task.js';
import { writeFileAtomic } from '../host/atomic.js';
import { readArguments } from './argued.js';
import { sourceOf } from './device-again.js';
import { searchOf } from './fuzz-report.js';
import { bringUpToDate, toolchain } from './toolchain.js';
import { layoutOf } from './layout.js';
import { type BuildCommands, buildCommands, relink } from './relink.js';

/** QEMU may hang because of a fault. */
const SILENCE_MS = 5000;
/** How many times longer the second search is. */
const PATIENCE = 8;
const PROGRAM = 'qemu-system-aarch64';

interface Judged extends Omit<Mutant, 'source'> {
  readonly verdict: MutantVerdict;
  /** Why no check can see it, where that has been argued. */
  readonly equivalent: string | undefined;
}

export async function judgeMutants(services: Services, options: MutantsOptions): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const tools = await toolchain(services);
  const { description } = tools.device;
  const search = await searchOf(tools.device);
  let result: Result | undefined;
  const task: Task = {
    name: 'device:mutants',
    title: 'Device: mutants',
    deps: options.build === undefined ? ['qemu:build'] : [],
    inputs: {},
    outputs: [],
    jobs: 'one',
    always: 'mutants are judged every time',
    run: async (context) => {
      const directory = join(layout.work, 'mutants');
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const build = options.build ?? layout.qemuBuild;
      const commands = await buildCommands(build, sourceOf(description).link, PROGRAM, context);
      const judged = await judgeAll(search, description, commands, paths.device, directory, options, context);
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

async function judgeAll(
  search: AnySearch,
  description: DeviceDescription,
  commands: BuildCommands,
  root: string,
  directory: string,
  { only, every, seed, operations }: MutantsOptions,
  context: TaskContext,
): Promise<readonly Judged[]> {
  const source = await readFile(join(root, sourceOf(description).target), 'utf8');
  const equivalents = await readArguments(root, description.argued?.mutants);
  const all = search.mutants(source);
  const chosen = all.filter(({ id }, index) => index % every === 0 && (only === undefined || only.test(id)));
  if (chosen.length === 0) throw new StopwatchError('bad-usage', `None of ${all.length} mutants is chosen`);
  const make = async (mutant: Mutant | undefined, slot: number) =>
    mutant === undefined ? undefined : makeMutant(commands, mutant, join(directory, `slot-${slot}`), context);
  const judged: Judged[] = [];
  let stillborn = 0;
  let next = make(chosen[0], 0);
  for (const [index, mutant] of chosen.entries()) {
    const made = await next;
    // The next one is compiled while this one is judged.
    next = make(chosen[index + 1], (index + 1) % 2);
    if (made?.failed === undefined && made !== undefined) {
      const request = { qemu: made.program, directory, silenceMs: SILENCE_MS };
      const { processes, env, signal } = context;
      const ports = { processes, env, signal, clock: hostClock };
      const equivalent = equivalents.get(mutant.id);
      const verdict = await judgePatiently(
        search,
        request,
        { seed, operations },
        equivalent !== undefined,
        ports,
      );
      if (signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while judging mutants');
      const { source: _, ...about } = mutant;
      judged.push({ ...about, verdict, equivalent });
      const fate = verdict.killer ?? (equivalent === undefined ? 'SURVIVED' : 'equivalent');
      context.log(
        `${index + 1}/${chosen.length} ${fate}, ${verdict.operations} operations, ${verdict.seconds.toFixed(2)} s, shortest ${verdict.shortest ?? '-'}: ${mutant.line}: ${mutant.id} (${verdict.what})`,
      );
    } else {
      stillborn += 1;
      context.log(`${index + 1}/${chosen.length} does not compile: ${mutant.line}: ${mutant.id}`);
    }
    context.progress(index + 1, chosen.length, 'steps');
  }
  context.log(`${stillborn} of ${chosen.length} do not compile`);
  return judged;
}

/** A survivor that nobody has argued for gets a second, longer search, from another seed. */
async function judgePatiently(
  search: AnySearch,
  request: FuzzRequest,
  { seed, operations }: { readonly seed: number; readonly operations: number },
  argued: boolean,
  ports: MachinePorts,
): Promise<MutantVerdict> {
  const seconds = Number.POSITIVE_INFINITY;
  const first = await search.judgeMutant(request, { seed, operations, seconds }, ports);
  if (first.killer !== undefined || argued || ports.signal.aborted) return first;
  const again = await search.judgeMutant(
    request,
    { seed: seed + 1, operations: operations * PATIENCE, seconds },
    ports,
  );
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function summary(judged: readonly Judged[], file: string): Result {
  const killed = judged.filter(({ verdict }) => verdict.killer !== undefined);
  const left = judged.filter(({ verdict }) => verdict.killer === undefined);
  const equivalent = left.filter((one) => one.equivalent !== undefined);
  const survived = left.filter((one) => one.equivalent === undefined);
  const wrongly = killed.filter((one) => one.equivalent !== undefined);
  const by = new Map<string, number>();
  for (const { verdict } of killed) by.set(verdict.killer ?? '', (by.get(verdict.killer ?? '') ?? 0) + 1);
  const seconds = median(killed.map(({ verdict }) => verdict.seconds));
  const shortest = median(killed.flatMap(({ verdict }) => verdict.shortest ?? []));
  const counts = {
    mutants: judged.length,
    killed: killed.length,
    equivalent: equivalent.length,
    survived: survived.length,
  };
  const operators = [...new Set(judged.map(({ operator }) => operator))].map((operator) => {
    const own = judged.filter((one) => one.operator === operator);
    const dead = own.filter(({ verdict }) => verdict.killer !== undefined).length;
    const same = own.filter((one) => one.verdict.killer === undefined && one.equivalent !== undefined).length;
    return `  ${operator.padEnd(26)} ${String(own.length).padStart(4)}  killed ${dead}, equivalent ${same}, survived ${own.length - dead - same}`;
  });
  return {
    exitCode: survived.length === 0 && wrongly.length === 0 ? EXIT.passed : EXIT.testFailed,
    verdict: [
      `Mutants      ${killed.length} killed, ${equivalent.length} equivalent, ${survived.length} survived of ${judged.length}`,
      `Killed by    ${[...by].map(([name, count]) => `${name} ${count}`).join(', ')}`,
      `Median       ${seconds.toFixed(2)} s of searching, ${shortest} operations in the shortest script`,
      ...operators,
      ...survived.map(({ id, line }) => `Survived     line ${line}: ${id}`),
      ...wrongly.map(({ id, line }) => `Not the same after all: line ${line}: ${id}`),
      `All          ${file}`,
    ],
    data: {
      ...counts,
      medianSeconds: seconds,
      medianShortest: shortest,
      killedBy: Object.fromEntries(by),
      file,
    },
  };
}
