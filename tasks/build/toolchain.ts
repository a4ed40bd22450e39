// SPDX-License-Identifier: MIT
/** The task graph of the configuration in force, and the executor that runs it for a command. */
import { availableParallelism } from 'node:os';
import { StopwatchError } from '../../lib/errors.js';
import { didYouMean } from '../config/closest.js';
import type { Variant } from '../config/variants.js';
import type { ProjectDevice } from '../../vm/device.js';
import type { Stage } from '../../vm/report/report.js';
import type { Emit } from '../engine/events.js';
import { createExecutor, type Executor } from '../engine/executor.js';
import type { Task } from '../engine/task.js';
import { baseEnvironment } from '../../lib/environment.js';
import { BuildLog } from './build-log.js';
import { usesCcache } from './build-tools.js';
import { type CompileCache, createCompileCache } from './compile-cache.js';
import { buildTasks } from './graph.js';
import { keepWithin } from './retention.js';
import type { Services } from '../config/services.js';
import { taskNamed } from './variant-names.js';

/** Executor and graph for one command. */
export interface Toolchain {
  /** What is built: the devices of the project's list. */
  readonly devices: readonly ProjectDevice[];
  readonly executor: Executor;
  readonly tasks: readonly Task[];
  readonly variant: Variant;
  /** What ran so far, for the report. */
  readonly stages: readonly Stage[];
  readonly build: BuildLog;
  /** Keeps what is old within its limits. */
  readonly tidy: () => Promise<void>;
  /** Undefined when compilers are called without ccache. */
  readonly cache: CompileCache | undefined;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly force: Services['force'];
  readonly ensureHost: Services['ensureHost'];
}

export async function toolchain(services: Services, emit: Emit = services.emit): Promise<Toolchain> {
  const { loaded, environment, signal } = services;
  const { config, paths } = loaded;
  const devices = await services.devices();
  const processes = await services.processes();
  const stages: Stage[] = [];
  const build = new BuildLog(paths.project);
  const tasks = buildTasks(config, paths, devices, { processes, environment });
  const compiling = new Set(tasks.flatMap(({ name, jobs }) => (jobs === 'build' ? name : [])));
  const jobs = config.build.jobs === 0 ? availableParallelism() : config.build.jobs;
  const toolEnv = baseEnvironment(environment);
  const cache = usesCcache(config, environment['PATH'] ?? '')
    ? createCompileCache({
        settings: config.cache,
        work: paths.work,
        environment,
        toolEnv,
        processes,
        signal,
        warn: (text) => services.emit({ type: 'notice', task: undefined, text }),
      })
    : undefined;
  const executor = createExecutor({
    processes,
    workdir: paths.work,
    jobs,
    emit: (event) => {
      build.apply(event, performance.now());
      if (event.type === 'task-done') {
        stages.push({ name: event.task, status: 'passed', durationMs: event.durationMs });
      }
      emit(event);
    },
    prepare: async (plan) => {
      const stale = plan.filter(({ fresh }) => !fresh);
      if (stale.length > 0) await cache?.start(stale.some(({ name }) => compiling.has(name)));
    },
    cleanUp: () => cache?.stop(),
    signal,
    baseEnv: cache?.env ?? toolEnv,
    treeWatch: services.treeWatch,
  });
  const tidy = async () => keepWithin(services);
  return {
    devices,
    executor,
    stages,
    build,
    tasks,
    variant: config.build.variant,
    tidy,
    cache,
    emit,
    signal,
    force: services.force,
    ensureHost: services.ensureHost,
  };
}

/** Brings the targets and `more` up to date; both by their names in the plain variant. Throws all errors. */
export async function bringUpToDate(
  { executor, tasks, variant, tidy, cache, emit, force, ensureHost }: Toolchain,
  targets: readonly string[],
  more: readonly Task[] = [],
): Promise<void> {
  const named = (names: readonly string[]) => names.map((name) => taskNamed(tasks, variant, name) ?? name);
  const others = more.map((task) => ({ ...task, deps: named(task.deps) }));
  const all = [...tasks, ...others];
  const forced = force === undefined ? [] : force === true ? named(targets) : [nameOf(all, variant, force)];
  // Only now: what is wrong with the command itself has been found.
  await ensureHost?.();
  const failures = await executor.run(
    all.map((task) => (forced.includes(task.name) ? asForced(task) : task)),
    [...new Set([...named(targets), ...forced])],
  );
  const used = cache?.use();
  if (used !== undefined) emit({ type: 'compile-cache', cache: used });
  const [first] = failures;
  if (first === undefined) return tidy();
  throw failures.length === 1 ? first.error : new AggregateError(failures.map(({ error }) => error));
}

const asForced = (task: Task): Task => ({ ...task, forced: true });

/** The task that is meant, also without the name of its variant. Throws 'unknown-task'. */
function nameOf(tasks: readonly Task[], variant: Variant, wanted: string): string {
  const names = tasks.map(({ name }) => name);
  const found = names.find((name) => name === wanted) ?? taskNamed(tasks, variant, wanted);
  if (found !== undefined) return found;
  throw new StopwatchError(
    'unknown-task',
    `--force: there is no task '${wanted}'${didYouMean(wanted, names)}`,
    {
      hint: `There are: ${names.join(', ')}`,
    },
  );
}
