// SPDX-License-Identifier: MIT
/** Finds out which tasks of a graph are stale, and why. Changes nothing. */
import type { Evaluator } from './evaluate.js';
import type { TaskStatus } from './events.js';
import { criticalPaths, type Graph } from './graph.js';
import type { Task } from './task.js';

export interface Analysed {
  readonly task: Task;
  readonly status: TaskStatus;
  /** Its part in the dependents' fingerprints; undefined when stale. */
  readonly result: string | undefined;
}

/** Milliseconds for a task that has never run; only the order of magnitude matters. */
const GUESS_MS = { none: 10_000, one: 1000, build: 60_000 } as const;

/** Returns the tasks in execution order: in critical-path order. Evaluates independent branches concurrently. */
export async function analyseGraph(graph: Graph, evaluator: Evaluator): Promise<Analysed[]> {
  const started = new Map<string, Promise<Analysed>>();
  const analyseTask = async (task: Task): Promise<Analysed> => {
    // In topological order, so all of these have been started.
    const before = await Promise.all(
      [...graph.ancestors(task.name)].flatMap((name) => started.get(name) ?? []),
    );
    const results = new Map(before.map((analysed) => [analysed.task.name, analysed.result]));
    const deps = new Map(task.deps.map((name) => [name, results.get(name)]));
    const unmade = before.flatMap((analysed) => (analysed.status.fresh ? [] : analysed.task.outputs));
    const { reasons, result, record } = await evaluator.evaluate(task, deps, unmade);
    const fresh = reasons.length === 0;
    const { name, title } = task;
    const status = { name, title, deps: task.deps, fresh, reasons, lastDurationMs: record?.durationMs };
    return { task, status, result: fresh ? result : undefined };
  };
  for (const task of graph.tasks) started.set(task.name, analyseTask(task));
  const analysed = await Promise.all(started.values());
  const durations = new Map(
    analysed.map(({ task, status: { fresh, lastDurationMs } }) => [
      task.name,
      fresh ? 0 : (lastDurationMs ?? GUESS_MS[task.jobs]),
    ]),
  );
  const critical = criticalPaths(graph, ({ name }) => durations.get(name) ?? 0);
  // No path is shorter than those of its dependents, and the sort is stable, so dependencies stay first.
  return analysed.sort((a, b) => (critical.get(b.task.name) ?? 0) - (critical.get(a.task.name) ?? 0));
}
