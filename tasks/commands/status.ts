// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import { packageVersion } from '../config/paths.js';
import { EXIT } from '../../lib/errors.js';
import type { TaskStatus } from '../engine/events.js';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';
import type { CacheKeys } from './services.js';
import type { Result, Services } from '../config/services.js';

export function addStatus(program: Command, app: App): void {
  const command = program
    .command('status')
    .summary('say for each task whether it is fresh or stale, and why')
    .description(
      'Analyses the tasks as a run would, and says for each whether it is fresh or stale and which input, dependency, tool or output makes it so. Does nothing. With --json, also every setting in force and where it came from.',
    )
    .addOption(variantOption())
    .option(
      '--cache-keys',
      'instead: what a CI system is to keep from run to run and under which keys, as lines NAME=VALUE',
    )
    .action(async (own: { readonly cacheKeys?: true }) =>
      app.run({ builds: false, document: true }, command, async (services, steps) =>
        own.cacheKeys === true
          ? keysReport(await (await steps()).cacheKeys(services))
          : report(services, await (await steps()).status(services)),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch status', 'what the next run would do'],
    ['stopwatch status --json', 'the same, the configuration, and where each setting came from'],
    ['stopwatch status --cache-keys >>"$GITHUB_OUTPUT"', 'keys that follow the fingerprints of the tasks'],
  ]);
}

async function report({ loaded, colour }: Services, tasks: readonly TaskStatus[]): Promise<Result> {
  const [{ statusText }, { painter }] = await Promise.all([
    import('../report/reasons.js'),
    import('../report/format.js'),
  ]);
  return {
    exitCode: EXIT.passed,
    text: statusText(tasks, loaded.paths.project, painter(colour)),
    data: statusData(loaded, tasks),
  };
}

/** Lines that are at once outputs of a GitHub step and a dotenv file of GitLab; several paths stand with ':' between. */
function keysReport(keys: CacheKeys): Result {
  const { work, ...caches } = keys;
  const lines = Object.entries(caches).flatMap(([name, { key, prefix, paths }]) => [
    `stopwatch_${name}_key=${key}`,
    `stopwatch_${name}_prefix=${prefix}`,
    `stopwatch_${name}_paths=${paths.join(':')}`,
  ]);
  const text = [`stopwatch_work=${work}`, ...lines].map((line) => `${line}\n`).join('');
  return { exitCode: EXIT.passed, text, data: keys };
}

/** The document of `status --json`. */
export function statusData(
  { config, provenance, paths, file }: Services['loaded'],
  tasks: readonly TaskStatus[],
): unknown {
  return {
    version: packageVersion(),
    paths,
    configFile: file ?? null,
    config,
    provenance,
    tasks: tasks.map((task) => ({ ...task, lastDurationMs: task.lastDurationMs ?? null })),
  };
}
