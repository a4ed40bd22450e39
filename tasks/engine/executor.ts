// SPDX-License-Identifier: MIT
/** Runs what is stale, in parallel. Emits events; prints nothing. */
import { mkdirSync } from 'node:fs';
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
import { buildGraph, selectTargets } from './graph.js';
import { schedule, type TaskEnd } from './schedule.js';
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
  /** Milliseconds, monotonic; `performance` if absent. */
  readonly clock?: { now(): number };
  /** Environment of the tools; `baseEnvironment()` if absent. */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** In a process that stays: which source trees have not changed since the last run. */
  readonly treeWatch?: TreeWatch | undefined;
}

/** How a run of the graph ended: failures are values. */
interface RunOutcome {
  readonly ok: boolean;
  /** In order of appearance; the first one is what went wrong first. */
  readonly errors: readonly { readonly task: string; readonly error: StopwatchError }[];
  readonly ends: ReadonlyMap<string, TaskEnd>;
  /** As found before anything was run, in execution order. */
  readonly plan: readonly TaskStatus[];
  readonly durationMs: number;
}

interface LockChoice {
  /** False: fail with 'locked' when another process holds the work directory. True if absent. */
  readonly wait?: boolean;
}

export interface Executor {
  /**
   * What is fresh, what is stale and why, in execution order. Takes no lock and changes nothing but caches in an existing
   * work directory. Throws StopwatchError: a bad graph or target, an unreadable input, interrupted.
   */
  analyse(tasks: readonly Task[], targets: readonly string[]): Promise<TaskStatus[]>;
  /**
   * Brings the targets (none: everything) up to date. The outcome has the errors of tasks. Throws errors from before the
   * first task: bad graph or target, locked, unwritable work directory, interrupted while waiting.
   */
  run(tasks: readonly Task[], targets: readonly string[], options?: LockChoice): Promise<RunOutcome>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { processes, workdir, jobs, emit, signal } = options;
  const clock = options.clock ?? performance;
  const env = options.baseEnv ?? baseEnvironment();
  const place = { task: PRODUCT, directory: workdir };
  const onWaiting = (holder: string) => emit({ type: 'waiting', holder });
  const newEvaluator = () =>
    createEvaluator({ workdir, processes, env, signal, clock, treeWatch: options.treeWatch });

  const runLocked = async (tasks: readonly Task[], targets: readonly string[]): Promise<RunOutcome> => {
    const started = clock.now();
    const graph = selectTargets(buildGraph(tasks), targets);
    const groups = join(workdir, 'run', 'groups');
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
    const needed = analysed.some(({ status }) => !status.fresh);
    const record = needed ? recordGroups(processes, groups) : undefined;
    try {
      await options.prepare?.(plan);
      const { errors, ends } = await schedule(graph, analysed, {
        processes: record?.processes ?? processes,
        env,
        workdir,
        signal,
        emit,
        clock,
        evaluator,
        jobs,
      });
      await saveQuietly(evaluator, needed);
      const ok = [...ends.values()].every((end) => end === 'fresh' || end === 'done');
      const durationMs = clock.now() - started;
      emit({ type: 'done', durationMs, ok });
      return { ok, errors, ends, plan, durationMs };
    } finally {
      await record?.close();
      options.cleanUp?.();
    }
  };

  /** All targets as fresh, where they are: undefined where something has to be built, or changes while it is looked at. */
  const runFresh = async (
    tasks: readonly Task[],
    targets: readonly string[],
  ): Promise<RunOutcome | undefined> => {
    const started = clock.now();
    const evaluator = newEvaluator();
    let analysed: Awaited<ReturnType<typeof analyseGraph>>;
    try {
      analysed = await analyseGraph(selectTargets(buildGraph(tasks), targets), evaluator);
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
    const plan = analysed.map(({ status }) => status);
    if (plan.some(({ fresh }) => !fresh)) return undefined;
    emit({ type: 'plan', tasks: plan });
    for (const { name } of plan) emit({ type: 'task-fresh', task: name });
    await saveQuietly(evaluator, false);
    const durationMs = clock.now() - started;
    emit({ type: 'done', durationMs, ok: true });
    const ends = new Map(plan.map(({ name }): [string, TaskEnd] => [name, 'fresh']));
    return { ok: true, errors: [], ends, plan, durationMs };
  };

  const understood = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      throw await toStopwatchError(error, place);
    }
  };

  return {
    analyse: (tasks, targets) =>
      understood(async () => {
        const evaluator = newEvaluator();
        const analysed = await analyseGraph(selectTargets(buildGraph(tasks), targets), evaluator);
        await saveQuietly(evaluator, false);
        return analysed.map(({ status }) => status);
      }),
    run: (tasks, targets, { wait = true } = {}) =>
      understood(async () => {
        // Before the lock, so that a mistake does not wait for another process.
        selectTargets(buildGraph(tasks), targets);
        const path = join(workdir, 'lock');
        const lock = { signal, onWaiting, processes };
        const work = async (): Promise<RunOutcome> => {
          markDirectory(workdir);
          mkdirSync(join(workdir, 'run'), { recursive: true });
          return runLocked(tasks, targets);
        };
        try {
          return await withLock(path, { ...lock, wait: false }, work);
        } catch (error) {
          if (!(error instanceof StopwatchError) || error.code !== 'locked') throw error;
          // Another process builds something else: with nothing to build, there is nothing to wait for.
          const outcome = await runFresh(tasks, targets);
          if (outcome !== undefined) return outcome;
          if (!wait) throw error;
          return withLock(path, lock, work);
        }
      }),
  };
}

/** Caches only save time, so do not fail when they cannot be written. */
async function saveQuietly(evaluator: Evaluator, prune: boolean): Promise<void> {
  await evaluator.save({ prune }).catch(() => {});
}
