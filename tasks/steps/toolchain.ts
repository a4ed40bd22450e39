// SPDX-License-Identifier: MIT
/** The task graph of the configuration in force, and the executor that runs it for a command. */
import { availableParallelism } from 'node:os';
import type { Device } from '../../vm/device.js';
import type { Stage } from '../../vm/report.js';
import { loadDevice } from '../config/device.js';
import type { Emit } from '../core/events.js';
import { createExecutor, type Executor } from '../core/executor.js';
import type { Task } from '../core/task.js';
import { baseEnvironment } from '../host/environment.js';
import { buildTasks } from './graph.js';
import { keepWithin } from './old-state.js';
import type { Services } from './services.js';

/** Executor and graph for one command. */
export interface Toolchain {
  /** What is built: the project's own device, or the package's. */
  readonly device: Device;
  readonly executor: Executor;
  readonly tasks: readonly Task[];
  /** What ran so far, for the report. */
  readonly stages: readonly Stage[];
  /** Keeps what is old within its limits. */
  readonly tidy: () => Promise<void>;
}

export async function toolchain(services: Services, emit: Emit = services.emit): Promise<Toolchain> {
  const { loaded, environment, signal } = services;
  const { config, paths } = loaded;
  const device = await loadDevice(paths);
  const processes = await services.processes();
  const stages: Stage[] = [];
  const executor = createExecutor({
    processes,
    workdir: paths.work,
    jobs: config.build.jobs === 0 ? availableParallelism() : config.build.jobs,
    emit: (event) => {
      if (event.type === 'task-done') {
        stages.push({ name: event.task, status: 'passed', durationMs: event.durationMs });
      }
      emit(event);
    },
    signal,
    baseEnv: baseEnvironment(environment),
  });
  return {
    device,
    executor,
    stages,
    tidy: async () => keepWithin(services),
    tasks: buildTasks(config, paths, device, { processes, environment }),
  };
}

/** Brings the targets up to date. Throws what went wrong, all of it. */
export async function bringUpToDate(
  tools: Toolchain,
  targets: readonly string[],
  more: readonly Task[] = [],
): Promise<void> {
  const { errors } = await tools.executor.run([...tools.tasks, ...more], targets);
  const [first] = errors;
  if (first === undefined) return tools.tidy();
  throw errors.length === 1 ? first.error : new AggregateError(errors.map(({ error }) => error));
}
