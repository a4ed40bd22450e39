// SPDX-License-Identifier: MIT
/** Starts stale tasks after their dependencies, in critical-path order, within the job budget. */
import type { JobBudget } from './jobserver.js';
import { versionAtLeast } from './tools.js';
import type { Analysed } from './analyse.js';
import { StopwatchError } from '../../lib/errors.js';
import { unreachable } from '../../lib/unreachable.js';
import type { Graph } from './graph.js';
import { runTask, type RunTaskOptions, type Slots, type TaskResult } from './run-task.js';
import { toStopwatchError } from '../../lib/failure.js';
import type { Task } from './task.js';

export type TaskEnd = 'fresh' | 'done' | 'failed' | 'skipped';

interface ScheduleResult {
  readonly errors: { readonly task: string; readonly error: StopwatchError }[];
  readonly ends: Map<string, TaskEnd>;
}

type ScheduleOptions = Omit<RunTaskOptions, 'budget'>;

/**
 * Runs the stale tasks. After the first failure nothing further starts; running tasks may finish.
 * `budget` may be undefined when all are fresh. A task's failure does not reject.
 */
export async function schedule(
  graph: Graph,
  analysed: readonly Analysed[],
  budget: JobBudget | undefined,
  options: ScheduleOptions,
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
  if (budget === undefined || waiting.length === 0) return { errors, ends };

  const priority = new Map(analysed.map(({ task, criticalMs }) => [task.name, criticalMs]));
  waiting.sort((a, b) => (priority.get(b.name) ?? 0) - (priority.get(a.name) ?? 0));
  const running = new Set<Promise<void>>();
  let acquiring = false;
  const stopped = () => signal.aborted || errors.length > 0;

  const settle = (task: Task, result: TaskResult) => {
    ends.set(task.name, result.end);
    if (result.end === 'failed') errors.push({ task: task.name, error: result.error });
    else results.set(task.name, result.result);
  };

  const start = async (task: Task): Promise<void> => {
    let giveBack: (() => void) | undefined;
    try {
      const rival = analysed.some(({ task: other }) => !ends.has(other.name) && isRival(graph, task, other));
      const slots = await slotsFor(task, rival, budget, options);
      if (slots.tokens > 0) giveBack = await budget.acquire(slots.tokens);
      if (task.jobs !== 'none') acquiring = false;
      if (stopped()) {
        waiting.push(task);
        return;
      }
      const deps = new Map(task.deps.map((name) => [name, results.get(name) ?? '']));
      // The next task may wait for tokens from now on.
      startReady();
      settle(task, await runTask(task, deps, slots, { ...options, budget }));
    } catch (thrown) {
      // The budget failed, or we were interrupted while waiting for it.
      acquiring = false;
      const error = await toStopwatchError(thrown, { task: task.name, directory: options.workdir });
      if (error.code === 'interrupted') {
        waiting.push(task);
        return;
      }
      emit({ type: 'task-failed', task: task.name, durationMs: 0, error });
      settle(task, { end: 'failed', error });
    } finally {
      giveBack?.();
    }
  };

  const startReady = () => {
    for (const task of waiting.slice()) {
      if (stopped()) return;
      if (!task.deps.every((name) => results.has(name))) continue;
      // Only one task waits for tokens, so that the most urgent ready task is next.
      if (task.jobs !== 'none' && acquiring) continue;
      waiting.splice(waiting.indexOf(task), 1);
      if (task.jobs !== 'none') acquiring = true;
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

/** True when both would compile at the same time. */
function isRival(graph: Graph, task: Task, other: Task): boolean {
  if (other.name === task.name) return false;
  if (other.jobs !== 'make' && other.jobs !== 'ninja') return false;
  return !graph.ancestors(task.name).has(other.name) && !graph.ancestors(other.name).has(task.name);
}

/** How many tokens a task takes before it starts, and how its tools take more. */
async function slotsFor(
  task: Task,
  hasRivals: boolean,
  budget: JobBudget,
  { evaluator }: ScheduleOptions,
): Promise<Slots & { readonly tokens: number }> {
  const { total, fifoUsable } = budget;
  switch (task.jobs) {
    case 'none':
      return { tokens: 0, jobs: 1, style: undefined, jobserver: false };
    case 'one':
      return { tokens: 1, jobs: 1, style: undefined, jobserver: false };
    case 'make': {
      const fifo = fifoUsable && versionAtLeast(await evaluator.toolVersion('make'), '4.4');
      return { tokens: 1, jobs: total, style: fifo ? 'fifo' : 'descriptor', jobserver: true };
    }
    case 'ninja': {
      if (total > 1 && fifoUsable && versionAtLeast(await evaluator.toolVersion('ninja'), '1.13')) {
        return { tokens: 1, jobs: total, style: 'fifo', jobserver: true };
      }
      const jobs = hasRivals ? Math.max(1, Math.floor(total / 2)) : total;
      return { tokens: jobs, jobs, style: undefined, jobserver: false };
    }
    default:
      return unreachable(task.jobs);
  }
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
