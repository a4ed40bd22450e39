// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Services } from '../config/services.js';
import type { GraphReport } from '../report/graph.js';
import { BUILD_EXITS, type CommandDefinition, variantOption } from './define.js';

interface Own {
  readonly dot?: true;
  readonly mermaid?: true;
}

export const graph: CommandDefinition<Own> = {
  name: 'graph',
  summary: 'show the task graph, how long each task took, and the longest chain',
  description:
    'Shows the tasks of `all`: which are fresh, how long each took the last time, what it comes after, and the critical path, the chain that takes longest. Makes no changes.',
  options: [
    new Option('--dot', 'for Graphviz').conflicts('mermaid'),
    new Option('--mermaid', 'for Markdown'),
    variantOption(),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['graph', 'which tasks there are, and what takes the time'],
    ['graph --dot | dot -Tsvg >graph.svg', 'the same as a picture'],
  ],
  document: true,
  async run(services, { dot, mermaid }) {
    const { graphDot, graphMermaid, graphText } = await import('../report/graph.js');
    const { painter } = await import('../report/format.js');
    const found = await graphOf(services);
    const text = dot
      ? graphDot(found)
      : mermaid
        ? graphMermaid(found)
        : graphText(found, painter(services.colour));
    const tasks = found.tasks.map((task) => ({ ...task, lastDurationMs: task.lastDurationMs ?? null }));
    return { exitCode: EXIT.passed, text, data: { tasks, critical: found.critical } };
  },
};

/** The tasks of `all`, what is fresh, how long each took, and the longest chain. */
async function graphOf(services: Services): Promise<GraphReport> {
  const [{ ALL_TARGETS, testTask }, { toolchain }, { nameIn }, { buildGraph, criticalChain, selectTargets }] =
    await Promise.all([
      import('../boot/test-run.js'),
      import('../build/toolchain.js'),
      import('../build/variant-names.js'),
      import('../engine/graph.js'),
    ]);
  const { executor, tasks, variant } = await toolchain(services);
  const test = testTask(services.loaded.config, () => {
    throw new StopwatchError('internal', 'The test was run where the graph was only to be shown');
  });
  const named = (names: readonly string[]) => names.map((name) => nameIn(variant, name));
  const all = [...tasks, { ...test, deps: named(test.deps) }];
  const targets = named(ALL_TARGETS);
  const found = await executor.analyse(all, targets);
  const durations = new Map(found.map(({ name, lastDurationMs }) => [name, lastDurationMs ?? 0]));
  const chosen = selectTargets(buildGraph(all), targets);
  return { tasks: found, critical: criticalChain(chosen, ({ name }) => durations.get(name) ?? 0) };
}
