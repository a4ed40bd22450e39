// SPDX-License-Identifier: MIT
/** `mutants`: makes small faults in the C device, one at a time. A fault that no check detects shows a gap in the checks. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import { writeFileAtomic } from '../lib/files/atomic.js';
import { mapConcurrent } from '../lib/map-concurrent.js';
import { sourceOf } from '../tasks/build/qemu/device-again.js';
import { bootTargets } from '../tasks/build/graph.js';
import { type Layout, layoutOf } from '../tasks/build/layout.js';
import { buildCommands, relink } from '../tasks/build/qemu/relink.js';
import { toolchain } from '../tasks/build/toolchain.js';
import type { Config } from '../tasks/config/schema.js';
import type { Result, Services } from '../tasks/config/services.js';
import type { TaskContext } from '../tasks/engine/task.js';
import { hostClock } from '../vm/clock.js';
import { type DeviceInstance, instancesOf, type ProjectDevice } from '../vm/device.js';
import { type BootVerdict, checkByBoot, checkBySearch, type SearchVerdict } from './check-mutant.js';
import { searchOf } from './fuzz.js';
import { type CheckedMutant, fateOf, mutantsResult } from './mutants-report.js';
import { cMutants, type Mutant } from './mutate.js';
import { runAsTask } from './run-task.js';
import type { AnySearch } from './search/search.js';

/** A fault may make QEMU hang. */
const SILENCE_MS = 5000;
/** How many times longer the second search of a survivor is. */
const SECOND_SEARCH = 8;
/** Workers beyond the number of jobs: a worker often waits for a QEMU that hangs or starts. */
const MORE_WORKERS = 1;
const PROGRAM = 'qemu-system-aarch64';

export interface MutantsOptions {
  /** Name of the device; needed where several can be searched. */
  readonly device?: string | undefined;
  /** Only mutants whose id matches. */
  readonly only?: RegExp | undefined;
  /** One mutant in this many. */
  readonly every: number;
  readonly seed: number;
  /** Operations of the search for each mutant. */
  readonly operations: number;
}

/** Data that all mutants of one run share. */
interface Run {
  readonly search: AnySearch;
  readonly device: ProjectDevice;
  /** The devices of the booted machine. */
  readonly instances: readonly DeviceInstance[];
  readonly layout: Layout;
  readonly config: Config;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly options: MutantsOptions;
  readonly context: TaskContext;
}

export async function checkMutants(services: Services, options: MutantsOptions): Promise<Result> {
  const { config, paths } = services.loaded;
  const { environment } = services;
  const layout = layoutOf(config, paths);
  const tools = await toolchain(services);
  const { device, search } = await searchOf(tools.devices, options.device);
  const instances = instancesOf(tools.devices, config.vm);
  const directory = join(layout.work, 'mutants', device.device.description.name);
  return runAsTask(
    tools,
    {
      name: 'device:mutants',
      title: 'Device: mutants',
      // A QEMU to relink, and a guest to boot.
      deps: bootTargets(config),
      jobs: 'build',
    },
    async (context) => {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const run: Run = {
        search,
        device,
        instances,
        layout,
        config,
        directory,
        environment,
        options,
        context,
      };
      const checked = await checkDevice(run);
      const file = join(directory, 'mutants.json');
      await writeFileAtomic(file, `${JSON.stringify(checked, null, 2)}\n`);
      return mutantsResult(checked, file);
    },
    () => new StopwatchError('test-failed', 'Mutants survived'),
  );
}

function choose(all: readonly Mutant[], { only, every }: MutantsOptions): readonly Mutant[] {
  const chosen = all.filter(({ id }, index) => index % every === 0 && (only === undefined || only.test(id)));
  if (chosen.length === 0) throw new StopwatchError('bad-usage', `None of ${all.length} mutants is chosen`);
  return chosen;
}

/** Mutants of the C source: checked by a search, and by the cross-check of a boot. */
async function checkDevice(run: Run): Promise<readonly CheckedMutant[]> {
  const { search, layout, directory, options, context } = run;
  const { link, target } = sourceOf(run.device);
  const commands = await buildCommands(layout.qemuBuild, [link], PROGRAM, context);
  const chosen = choose(cMutants(await readFile(target, 'utf8'), search.mutationNames.c), options);
  let done = 0;
  const checked = await mapConcurrent(chosen, context.jobs + MORE_WORKERS, async (mutant, index, worker) => {
    const number = `${index + 1}/${chosen.length}`;
    const own = { ...run, directory: join(directory, `worker-${worker}`) };
    await mkdir(own.directory, { recursive: true });
    const source = join(own.directory, 'mutant.c');
    const program = join(own.directory, PROGRAM);
    await writeFile(source, mutant.source);
    const { failed } = await relink(
      commands,
      { objects: [{ source, object: join(own.directory, 'mutant.o') }], program },
      context,
    );
    context.progress(++done, chosen.length, 'steps');
    if (failed !== undefined) {
      context.log(`${number} does not compile: ${mutant.line}: ${mutant.id}`);
      return undefined;
    }
    const waiver = search.waivers.mutants[mutant.id];
    const found = await searchTwice(own, search, program, waiver);
    const boot = await checkByBoot(program, own, context);
    return logged(mutant, found, boot, waiver, number, context);
  });
  const compiled = checked.filter((one) => one !== undefined);
  context.log(`${chosen.length - compiled.length} of ${chosen.length} do not compile`);
  return compiled;
}

/** Searches for a survivor without a waiver a second time, for longer and with another seed. */
async function searchTwice(
  { directory, options, context }: Run,
  search: AnySearch,
  qemu: string,
  waiver: string | undefined,
): Promise<SearchVerdict> {
  const { seed, operations } = options;
  const { processes, env, signal } = context;
  const ports = { processes, env, signal, clock: hostClock };
  const run = { search, request: { qemu, directory, silenceMs: SILENCE_MS }, ports };
  const first = await checkBySearch(run, { seed, operations });
  if (first.detectedBy !== undefined || waiver !== undefined || signal.aborted) return first;
  const again = await checkBySearch(run, { seed: seed + 1, operations: operations * SECOND_SEARCH });
  return {
    ...again,
    operations: first.operations + again.operations,
    seconds: first.seconds + again.seconds,
  };
}

function logged(
  { id, operator, line }: Mutant,
  search: SearchVerdict,
  boot: BootVerdict,
  waiver: string | undefined,
  number: string,
  context: TaskContext,
): CheckedMutant {
  if (context.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while checking mutants');
  const checked: CheckedMutant = { id, operator, line, search, boot, waiver };
  context.log(
    `${number} ${fateOf(checked)}, ${search.operations} operations, ${search.seconds.toFixed(2)} s, shortest ${search.shortest ?? '-'}: ${line}: ${id} (${search.what}; boot ${boot.seconds.toFixed(1)} s: ${boot.what})`,
  );
  return checked;
}
