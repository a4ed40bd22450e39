// SPDX-License-Identifier: MIT
/** Starts stale tasks after their dependencies, in critical-path order, and not more at once than there are jobs. */
import type { Analysed } from './analyse.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Graph } from './graph.js';
import { runTask, type RunTaskOptions, type TaskResult } from './run-task.js';
import type { Task } from './task.js';

export type TaskEnd = 'fresh' | 'done' | 'failed' | 'skipped';

interface ScheduleResult {
  readonly errors: { readonly task: string; readonly error: StopwatchError }[];
  readonly ends: Map<string, TaskEnd>;
}

/**
 * Runs the stale tasks. After the first failure nothing further starts; running tasks may finish.
 * A task's failure does not reject.
 */
export async function schedule(
  graph: Graph,
  analysed: readonly Analysed[],
  options: RunTaskOptions,
): Promise<ScheduleResult> {
  const { emit, signal } = options;
  const ends = new Map<string, TaskEnd>();
  const results = new Map<string, string>();
  const errors: { task: string; error: StopwatchError }[] = [];
  const waiting: Task[] = [];
  for (const { task, status, result } of analysed) {
    if (status.fresh && result !== undefined) {
      ends.set(task.name, 'fresh');
      results.set(task.name, result);
      emit({ type: 'task-fresh', task: task.name });
    } else {
      waiting.push(task);
    }
  }
  if (waiting.length === 0) return { errors, ends };

  const priority = new Map(analysed.map(({ task, criticalMs }) => [task.name, criticalMs]));
  waiting.sort((a, b) => (priority.get(b.name) ?? 0) - (priority.get(a.name) ?? 0));
  const running = new Set<Promise<void>>();
  /** Running tasks, by how they use the processors. */
  const busy = { none: 0, one: 0, build: 0 };
  // A build has a process for each job, so two of them would only get in each other's way.
  const most = { none: Number.POSITIVE_INFINITY, one: options.jobs, build: 1 };
  const stopped = () => signal.aborted || errors.length > 0;

  const settle = (task: Task, result: TaskResult) => {
    ends.set(task.name, result.end);
    if (result.end === 'failed') errors.push({ task: task.name, error: result.error });
    else results.set(task.name, result.result);
  };

  const start = async (task: Task): Promise<void> => {
    busy[task.jobs] += 1;
    const deps = new Map(task.deps.map((name) => [name, results.get(name) ?? '']));
    settle(task, await runTask(task, deps, options));
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
  for (const { task } of analysed) {
    if (ends.has(task.name)) continue;
    ends.set(task.name, 'skipped');
    emit({ type: 'task-skipped', task: task.name, because: whySkipped(graph, task, errors, signal) });
  }
  if (signal.aborted && errors.length === 0 && waiting.length > 0) {
    const task = waiting[0]?.name ?? '';
    errors.push({
      task,
      error: new StopwatchError('interrupted', `Interrupted before ${task} was started.`),
    });
  }
  return { errors, ends };
}

function whySkipped(
  graph: Graph,
  task: Task,
  errors: readonly { readonly task: string }[],
  signal: AbortSignal,
): string {
  if (signal.aborted) return 'interrupted';
  const needed = errors.find((failed) => graph.ancestors(task.name).has(failed.task));
  return `${(needed ?? errors[0])?.task ?? 'another task'} failed`;
}
