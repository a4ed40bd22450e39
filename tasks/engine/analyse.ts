// SPDX-License-Identifier: MIT
/** Analyses a whole graph: what is fresh, what is stale and why. Changes nothing. */
import type { Evaluation, Evaluator } from './evaluate.js';
import type { TaskStatus } from './events.js';
import { criticalPaths, type Graph } from './graph.js';
import type { Task } from './task.js';

export interface Analysed {
  readonly task: Task;
  readonly status: TaskStatus;
  readonly evaluation: Evaluation;
  /** What goes into the dependents' fingerprints; undefined when stale. */
  readonly result: string | undefined;
  /** Milliseconds from this task's start to the end of its longest chain of dependents, by last durations. */
  readonly criticalMs: number;
}

/** Milliseconds for a task that has never run; only the order of magnitude matters. */
const GUESS_MS = { none: 10_000, one: 1000, build: 60_000 } as const;

/** Returns the tasks in execution order: dependencies first, then in critical-path order. Evaluates independent branches concurrently. */
export async function analyseGraph(graph: Graph, evaluator: Evaluator): Promise<Analysed[]> {
  type Part = Omit<Analysed, 'criticalMs'>;
  const parts = new Map<string, Promise<Part>>();
  const analyseTask = async (task: Task): Promise<Part> => {
    // In topological order, so all of these have been started.
    const before = await Promise.all(
      [...graph.ancestors(task.name)].flatMap((name) => parts.get(name) ?? []),
    );
    const stale = before.flatMap((part) => (part.status.fresh ? [] : [part.task]));
    const results = new Map(before.map((part) => [part.task.name, part.result]));
    const deps = new Map(task.deps.map((name) => [name, results.get(name)]));
    const unmade = stale.flatMap(({ outputs }) => outputs);
    const evaluation = await evaluator.evaluate(task, deps, unmade);
    const fresh = evaluation.reasons.length === 0;
    const status: TaskStatus = {
      name: task.name,
      title: task.title,
      deps: task.deps,
      fresh,
      reasons: evaluation.reasons,
      lastDurationMs: evaluation.record?.durationMs,
    };
    const result = fresh ? evaluator.resultOf(task, evaluation.fingerprint) : undefined;
    return { task, status, evaluation, result };
  };
  for (const task of graph.tasks) parts.set(task.name, analyseTask(task));
  const all = new Map((await Promise.all(parts.values())).map((part) => [part.task.name, part]));
  const critical = criticalPaths(graph, (task) => {
    const status = all.get(task.name)?.status;
    return status?.fresh === true ? 0 : (status?.lastDurationMs ?? GUESS_MS[task.jobs]);
  });
  const analysed: Analysed[] = [];
  for (const part of all.values()) analysed.push({ ...part, criticalMs: critical.get(part.task.name) ?? 0 });
  return inExecutionOrder(graph, analysed);
}

/** Kahn's algorithm; ready tasks in critical-path order. */
function inExecutionOrder(graph: Graph, analysed: readonly Analysed[]): Analysed[] {
  const waiting = [...analysed];
  const ordered: Analysed[] = [];
  const done = new Set<string>();
  while (waiting.length > 0) {
    let best = -1;
    for (const [index, { task, criticalMs }] of waiting.entries()) {
      if (!task.deps.every((name) => done.has(name))) continue;
      if (best < 0 || criticalMs > (waiting[best]?.criticalMs ?? 0)) best = index;
    }
    const [next] = waiting.splice(best, 1);
    // The graph has no cycle, so one is always ready.
    if (best < 0 || next === undefined) throw new Error(`no task is ready of ${graph.tasks.length}`);
    done.add(next.task.name);
    ordered.push(next);
  }
  return ordered;
}
