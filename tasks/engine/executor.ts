// SPDX-License-Identifier: MIT
/** Runs stale tasks in parallel. Emits events; prints nothing. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnvironment } from '../../lib/environment.js';
import { endLeftovers, recordGroups } from '../../lib/process/leftovers.js';
import { withLock } from '../../lib/lock.js';
import type { Processes } from '../../lib/process/process.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import { markDirectory } from '../../lib/files/work-mark.js';
import { analyseGraph } from './analyse.js';
import { createEvaluator, type Evaluator } from './evaluate.js';
import type { Emit, TaskStatus } from './events.js';
import { StopwatchError } from '../../lib/errors.js';
import { toStopwatchError } from '../../lib/failure.js';
import { buildGraph, type Graph, selectTargets } from './graph.js';
import { schedule, type TaskFailure } from './schedule.js';
import type { Task } from './task.js';
import { PRODUCT } from '../../lib/product.js';

interface ExecutorOptions {
  readonly processes: Processes;
  /** Absolute path; created when something runs. */
  readonly workdir: string;
  /** Processes of a build at once, and tasks of one process at once; at least 1. */
  readonly jobs: number;
  readonly emit: Emit;
  /** Aborting ends all processes; the errors are 'interrupted' then. */
  readonly signal: AbortSignal;
  /** Called with the plan, with the work directory locked and before the first task starts. */
  readonly prepare?: ((plan: readonly TaskStatus[]) => Promise<void>) | undefined;
  /** Called when all tasks have ended, or `prepare` has failed, with the work directory still locked. */
  readonly cleanUp?: (() => void) | undefined;
  /** Environment of the tools; `baseEnvironment()` if absent. */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** In a process that runs several times: which source trees have not changed since the last run. */
  readonly treeWatch?: TreeWatch | undefined;
}

export interface Executor {
  /**
   * What is fresh, what is stale and why, in execution order. Takes no lock and changes nothing but caches in an existing
   * work directory. Throws StopwatchError: a bad graph or target, an unreadable input, interrupted.
   */
  analyse(tasks: readonly Task[], targets: readonly string[]): Promise<TaskStatus[]>;
  /**
   * Brings the targets (none: everything) up to date. Returns the failures of tasks, the first one first. Throws errors
   * from before the first task: bad graph or target, unwritable work directory, interrupted while waiting for the lock.
   */
  run(tasks: readonly Task[], targets: readonly string[]): Promise<readonly TaskFailure[]>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { processes, workdir, jobs, emit, signal } = options;
  const env = options.baseEnv ?? baseEnvironment();
  const onWaiting = (holder: string) => emit({ type: 'waiting', holder });
  const newEvaluator = () =>
    createEvaluator({ workdir, processes, env, signal, treeWatch: options.treeWatch });

  /** The caller holds the lock of the work directory. */
  const runGraph = async (graph: Graph): Promise<readonly TaskFailure[]> => {
    const started = performance.now();
    markDirectory(workdir);
    const run = join(workdir, 'run');
    mkdirSync(run, { recursive: true });
    const groups = join(run, 'groups');
    const left = await endLeftovers(groups);
    if (left.length > 0) {
      const text = `Ended processes that a killed run had left: ${left.join(', ')}`;
      emit({ type: 'notice', task: undefined, text });
    }
    const evaluator = newEvaluator();
    await evaluator.state.tidy();
    const analysed = await analyseGraph(graph, evaluator);
    const plan = analysed.map(({ status }) => status);
    emit({ type: 'plan', tasks: plan });
    const needed = plan.some(({ fresh }) => !fresh);
    const record = needed ? recordGroups(processes, groups) : undefined;
    try {
      await options.prepare?.(plan);
      const failures = await schedule(graph, analysed, {
        processes: record?.processes ?? processes,
        env,
        workdir,
        signal,
        emit,
        evaluator,
        jobs,
      });
      await saveQuietly(evaluator, needed);
      emit({ type: 'done', durationMs: performance.now() - started, ok: failures.length === 0 });
      return failures;
    } finally {
      await record?.close();
      options.cleanUp?.();
    }
  };

  /** Reports all tasks as fresh. False where one is stale, or something changes while it is looked at. */
  const reportFresh = async (graph: Graph): Promise<boolean> => {
    const started = performance.now();
    const evaluator = newEvaluator();
    const analysed = await analyseGraph(graph, evaluator).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (analysed === undefined || analysed.some(({ status }) => !status.fresh)) return false;
    emit({ type: 'plan', tasks: analysed.map(({ status }) => status) });
    for (const { task } of analysed) emit({ type: 'task-fresh', task: task.name });
    await saveQuietly(evaluator, false);
    emit({ type: 'done', durationMs: performance.now() - started, ok: true });
    return true;
  };

  const understood = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      throw await toStopwatchError(error, { task: PRODUCT, directory: workdir });
    }
  };

  return {
    analyse: (tasks, targets) =>
      understood(async () => {
        const evaluator = newEvaluator();
        const analysed = await analyseGraph(selectTargets(buildGraph(tasks), targets), evaluator);
        if (existsSync(workdir)) await saveQuietly(evaluator, false);
        return analysed.map(({ status }) => status);
      }),
    run: (tasks, targets) =>
      understood(async () => {
        // Before the lock, so that a mistake does not wait for another process.
        const graph = selectTargets(buildGraph(tasks), targets);
        const path = join(workdir, 'lock');
        const lock = { signal, onWaiting, processes };
        const work = async () => runGraph(graph);
        try {
          return await withLock(path, { ...lock, wait: false }, work);
        } catch (error) {
          if (!(error instanceof StopwatchError) || error.code !== 'locked') throw error;
          // Another process builds something else: with nothing to build, there is nothing to wait for.
          if (await reportFresh(graph)) return [];
          return withLock(path, lock, work);
        }
      }),
  };
}

/** Caches only save time, so do not fail when they cannot be written. */
async function saveQuietly(evaluator: Evaluator, prune: boolean): Promise<void> {
  await evaluator.save({ prune }).catch(() => {});
}
