// SPDX-License-Identifier: MIT
/**
 * A program for tests that runs a graph given as JSON in a file, whose tasks only run commands:
 * something to send signals to. Prints each event as a line of JSON; exits like the command line does.
 */
import { readFileSync } from 'node:fs';
import { StopwatchError } from '../lib/errors.js';
import { createExecutor } from '../tasks/engine/executor.js';
import type { JobKind, Task } from '../tasks/engine/task.js';
import { createProcesses } from '../lib/process/process.js';

export interface GraphFile {
  readonly workdir: string;
  readonly jobs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly tasks: readonly {
    readonly name: string;
    readonly deps: readonly string[];
    readonly files?: readonly string[];
    readonly outputs: readonly string[];
    readonly jobs: JobKind;
    readonly commands: readonly (readonly [string, ...string[]])[];
  }[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const graph = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as GraphFile;
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort());

const executor = createExecutor({
  processes: createProcesses(),
  workdir: graph.workdir,
  jobs: graph.jobs,
  baseEnv: graph.env,
  signal: abort.signal,
  emit: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
});
const tasks = graph.tasks.map(({ name, deps, files = [], outputs, jobs, commands }): Task => {
  return {
    name,
    title: name,
    deps,
    inputs: { files, values: { commands } },
    outputs,
    jobs,
    async run(context) {
      for (const [file, ...args] of commands) await context.exec(file, args);
    },
  };
});
try {
  const [first] = await executor.run(tasks, []);
  process.exitCode = first?.error.exitCode ?? 0;
} catch (error) {
  if (!(error instanceof StopwatchError)) throw error;
  process.stdout.write(`${JSON.stringify({ type: 'thrown', code: error.code, message: error.message })}\n`);
  process.exitCode = error.exitCode;
}
