// SPDX-License-Identifier: MIT
/** The task graph, checked as a whole before anything runs. Pure. */
import { StopwatchError } from '../../lib/errors.js';
import { taskFileName } from './state.js';
import type { Task } from './task.js';

export interface Graph {
  /** In topological order: dependencies first. */
  readonly tasks: readonly Task[];
  get(name: string): Task;
  /** Direct dependents, in topological order. */
  dependents(name: string): readonly string[];
  /** Everything that must be finished before this task. */
  ancestors(name: string): ReadonlySet<string>;
}

/**
 * Checks and sorts the tasks. Throws 'unknown-task', 'task-cycle', or 'bad-config' for two
 * tasks with one name or output, an input that another task makes without being a dependency, or a dependency that
 * always runs.
 */
export function buildGraph(tasks: readonly Task[]): Graph {
  const byName = new Map<string, Task>();
  const files = new Map<string, string>();
  for (const task of tasks) {
    if (byName.has(task.name)) throw new StopwatchError('bad-config', `Two tasks are named '${task.name}'.`);
    byName.set(task.name, task);
    const file = taskFileName(task.name);
    const other = files.get(file);
    if (other !== undefined) {
      throw new StopwatchError(
        'bad-config',
        `The tasks '${other}' and '${task.name}' would share the file name '${file}'.`,
      );
    }
    files.set(file, task.name);
  }
  for (const task of tasks) {
    for (const dep of task.deps) {
      const needed = byName.get(dep);
      if (needed === undefined) {
        throw new StopwatchError(
          'unknown-task',
          `The task '${task.name}' depends on '${dep}', which does not exist.`,
        );
      }
      if (needed.always !== undefined) {
        throw new StopwatchError(
          'bad-config',
          `The task '${task.name}' depends on '${dep}', which runs every time: it would run every time too.`,
        );
      }
    }
  }
  const order = sortTopologically(tasks, byName);
  const ancestors = new Map<string, ReadonlySet<string>>();
  const dependents = new Map<string, string[]>(order.map((task) => [task.name, []]));
  for (const task of order) {
    const all = new Set<string>();
    for (const dep of task.deps) {
      all.add(dep);
      for (const further of ancestors.get(dep) ?? []) all.add(further);
    }
    ancestors.set(task.name, all);
    for (const dep of new Set(task.deps)) dependents.get(dep)?.push(task.name);
  }
  checkOutputs(order, ancestors);
  const get = (name: string) => {
    const task = byName.get(name);
    if (task === undefined) throw unknownTask(name, byName.keys());
    return task;
  };
  return {
    tasks: order,
    get,
    dependents: (name) => dependents.get(name) ?? [],
    ancestors: (name) => ancestors.get(name) ?? new Set(),
  };
}

/** The targets and their ancestors; everything without targets. Throws 'unknown-task'. */
export function selectTargets(graph: Graph, targets: readonly string[]): Graph {
  if (targets.length === 0) return graph;
  const wanted = new Set<string>();
  for (const target of targets) {
    wanted.add(graph.get(target).name);
    for (const name of graph.ancestors(target)) wanted.add(name);
  }
  return buildGraph(graph.tasks.filter((task) => wanted.has(task.name)));
}

/** For each task the time from its start to the end of its longest chain of dependents. */
export function criticalPaths(graph: Graph, durationMs: (task: Task) => number): ReadonlyMap<string, number> {
  const paths = new Map<string, number>();
  for (const task of graph.tasks.toReversed()) {
    const after = graph.dependents(task.name).map((name) => paths.get(name) ?? 0);
    paths.set(task.name, durationMs(task) + Math.max(0, ...after));
  }
  return paths;
}

/** The longest chain, first task first: more processors do not make it shorter. */
export function criticalChain(graph: Graph, durationMs: (task: Task) => number): string[] {
  const paths = criticalPaths(graph, durationMs);
  const chain: string[] = [];
  let candidates = graph.tasks.filter(({ deps }) => deps.length === 0).map(({ name }) => name);
  while (candidates.length > 0) {
    const next = candidates.reduce((best, name) =>
      (paths.get(name) ?? 0) > (paths.get(best) ?? 0) ? name : best,
    );
    chain.push(next);
    candidates = [...graph.dependents(next)];
  }
  return chain;
}

/** True when one of the paths is the other or lies below it. */
export function overlaps(a: string, b: string): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

/** True when `path` is `directory` or lies below it. Both absolute and normal. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

function unknownTask(name: string, known: Iterable<string>): StopwatchError {
  return new StopwatchError('unknown-task', `There is no task '${name}'.`, {
    hint: `The tasks are: ${[...known].sort().join(', ')}.`,
  });
}

/** Depth first in the given order, so that the result is deterministic. */
function sortTopologically(tasks: readonly Task[], byName: ReadonlyMap<string, Task>): Task[] {
  const order: Task[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (task: Task) => {
    if (done.has(task.name)) return;
    const start = path.indexOf(task.name);
    if (start >= 0) {
      const cycle = [...path.slice(start), task.name].join(' → ');
      throw new StopwatchError('task-cycle', `Tasks depend on each other in a circle: ${cycle}.`);
    }
    path.push(task.name);
    for (const dep of task.deps) {
      const next = byName.get(dep);
      if (next !== undefined) visit(next);
    }
    path.pop();
    done.add(task.name);
    order.push(task);
  };
  for (const task of tasks) visit(task);
  return order;
}

function checkOutputs(order: readonly Task[], ancestors: ReadonlyMap<string, ReadonlySet<string>>): void {
  const makers = new Map<string, string>();
  for (const task of order) {
    for (const output of task.outputs) {
      const other = makers.get(output);
      if (other !== undefined && other !== task.name) {
        throw new StopwatchError(
          'bad-config',
          `The tasks '${other}' and '${task.name}' both make ${output}.`,
        );
      }
      makers.set(output, task.name);
    }
  }
  for (const task of order) {
    for (const input of [...(task.inputs.files ?? []), ...(task.inputs.trees ?? [])]) {
      for (const [output, maker] of makers) {
        if (!overlaps(input, output)) continue;
        if (maker === task.name) {
          throw new StopwatchError(
            'bad-config',
            `The task '${task.name}' changes its own input ${input} by making ${output}.`,
          );
        }
        if (ancestors.get(task.name)?.has(maker) !== true) {
          throw new StopwatchError(
            'bad-config',
            `The task '${task.name}' reads ${input}, and '${maker}' makes ${output}, but it does not depend on '${maker}'.`,
          );
        }
      }
    }
  }
}
