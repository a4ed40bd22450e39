// SPDX-License-Identifier: MIT
import { type Command, Option } from 'commander';
import { EXIT } from '../../lib/errors.js';
import type { GraphReport } from '../report/graph.js';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';
import type { Result, Services } from '../config/services.js';

interface Own {
  readonly dot?: true;
  readonly mermaid?: true;
}

export function addGraph(program: Command, app: App): void {
  const command = program
    .command('graph')
    .summary('show the task graph, how long each task took, and the longest chain')
    .description(
      'Shows the tasks of `all`: which are fresh, how long each took the last time, what it comes after, and the critical path, the chain that takes longest. Does nothing.',
    )
    .addOption(new Option('--dot', 'for Graphviz').conflicts('mermaid'))
    .option('--mermaid', 'for Markdown')
    .addOption(variantOption())
    .action(async (own: Own) =>
      app.run({ builds: false, document: true }, command, async (services, steps) =>
        report(services, own, await (await steps()).graph(services)),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch graph', 'which tasks there are, and what takes the time'],
    ['stopwatch graph --dot | dot -Tsvg >graph.svg', 'the same as a picture'],
  ]);
}

async function report({ colour }: Services, own: Own, graph: GraphReport): Promise<Result> {
  const [{ graphDot, graphMermaid, graphText }, { painter }] = await Promise.all([
    import('../report/graph.js'),
    import('../report/format.js'),
  ]);
  const text = own.dot
    ? graphDot(graph)
    : own.mermaid
      ? graphMermaid(graph)
      : graphText(graph, painter(colour));
  const tasks = graph.tasks.map((task) => ({ ...task, lastDurationMs: task.lastDurationMs ?? null }));
  return { exitCode: EXIT.passed, text, data: { tasks, critical: graph.critical } };
}
