// SPDX-License-Identifier: MIT
/** Starts stale tasks after their dependencies, in critical-path order: one build, and as many tasks of one process as there are jobs. */
import type { Analysed } from './analyse.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Graph } from './graph.js';
import { runTask, type RunTaskOptions } from './run-task.js';
import type { Task } from './task.js';

export interface TaskFailure {
  readonly task: string;
  readonly error: StopwatchError;
}

/**
 * Runs the stale tasks of those given in critical-path order. After the first failure nothing further starts; running
 * tasks may finish. Returns the failures in the order in which they happened; a failed task does not reject.
 */
export async function schedule(
  graph: Graph,
  analysed: readonly Analysed[],
  options: RunTaskOptions,
): Promise<readonly TaskFailure[]> {
  const { emit, signal } = options;
  const results = new Map<string, string>();
  const failures: TaskFailure[] = [];
  const waiting: Task[] = [];
  for (const { task, status, result } of analysed) {
    if (status.fresh && result !== undefined) {
      results.set(task.name, result);
      emit({ type: 'task-fresh', task: task.name });
    } else {
      waiting.push(task);
    }
  }
  const running = new Set<Promise<void>>();
  /** Running tasks, by how they use the processors. */
  const busy = { none: 0, one: 0, build: 0 };
  // A build has a process for each job, so two of them would only get in each other's way.
  const most = { none: Number.POSITIVE_INFINITY, one: options.jobs, build: 1 };
  const stopped = () => signal.aborted || failures.length > 0;

  const start = async (task: Task): Promise<void> => {
    busy[task.jobs] += 1;
    const deps = new Map(task.deps.map((name) => [name, results.get(name) ?? '']));
    const end = await runTask(task, deps, options);
    if ('error' in end) failures.push({ task: task.name, error: end.error });
    else results.set(task.name, end.result);
    busy[task.jobs] -= 1;
  };

  const startReady = () => {
    for (const task of waiting.slice()) {
      if (stopped()) return;
      if (!task.deps.every((name) => results.has(name))) continue;
      if (busy[task.jobs] >= most[task.jobs]) continue;
      waiting.splice(waiting.indexOf(task), 1);
      const run: Promise<void> = start(task).finally(() => running.delete(run));
      running.add(run);
    }
  };

  for (;;) {
    startReady();
    if (running.size === 0) break;
    await Promise.race(running);
  }
  for (const task of waiting)
    emit({ type: 'task-skipped', task: task.name, because: whySkipped(graph, task, failures, signal) });
  const [next] = waiting;
  if (signal.aborted && failures.length === 0 && next !== undefined) {
    const error = new StopwatchError('interrupted', `Interrupted before ${next.name} was started.`);
    failures.push({ task: next.name, error });
  }
  return failures;
}

function whySkipped(graph: Graph, task: Task, failures: readonly TaskFailure[], signal: AbortSignal): string {
  if (signal.aborted) return 'interrupted';
  const needed = failures.find((failed) => graph.ancestors(task.name).has(failed.task));
  return `${(needed ?? failures[0])?.task ?? 'another task'} failed`;
}
