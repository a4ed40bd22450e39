// SPDX-License-Identifier: MIT
/** `graph`: the tasks of `all`, what is fresh, how long each took, and the longest chain. */
import type { Services } from '../config/services.js';
import { StopwatchError } from '../../lib/errors.js';
import { buildGraph, criticalChain, selectTargets } from '../engine/graph.js';
import type { GraphReport } from '../report/graph.js';
import { toolchain } from '../build/toolchain.js';
import { ALL_TARGETS, testTask } from '../boot/test-run.js';
import { nameIn } from '../build/variant-names.js';

export async function showGraph(services: Services): Promise<GraphReport> {
  const { executor, tasks, variant } = await toolchain(services);
  const test = testTask(services.loaded.config, () => {
    throw new StopwatchError('internal', 'The test was run where the graph was only to be shown');
  });
  const named = (names: readonly string[]) => names.map((name) => nameIn(variant, name));
  const all = [...tasks, { ...test, deps: named(test.deps) }];
  const targets = named(ALL_TARGETS);
  const found = await executor.analyse(all, targets);
  const durations = new Map(found.map(({ name, lastDurationMs }) => [name, lastDurationMs ?? 0]));
  const graph = selectTargets(buildGraph(all), targets);
  return { tasks: found, critical: criticalChain(graph, ({ name }) => durations.get(name) ?? 0) };
}
