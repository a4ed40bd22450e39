// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { EXIT } from '../../lib/errors.js';
import type { Result, Services } from '../config/services.js';
import { packageVersion } from '../config/paths.js';
import { BUILD_EXITS, type CommandDefinition, variantOption } from './define.js';

export const status: CommandDefinition<{ readonly cacheKeys?: true }> = {
  name: 'status',
  summary: 'say for each task whether it is fresh or stale, and why',
  description:
    'Analyses the tasks as a run would, and says for each whether it is fresh or stale and which input, dependency, tool or output makes it so. Makes no changes. With --json, also every setting in force and where it came from.',
  options: [
    variantOption(),
    new Option(
      '--cache-keys',
      'instead: what a CI system is to keep from run to run and under which keys, as lines NAME=VALUE',
    ),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['status', 'what the next run would do'],
    ['status --json', 'the same, the configuration, and where each setting came from'],
    ['status --cache-keys >>"$GITHUB_OUTPUT"', 'keys that follow the fingerprints of the tasks'],
  ],
  document: true,
  run: async (services, { cacheKeys }) =>
    cacheKeys === true ? keysReport(services) : statusReport(services),
};

async function statusReport(services: Services): Promise<Result> {
  const [{ updateTargets }, { toolchain }, { nameIn }, { statusText }, { painter }] = await Promise.all([
    import('../build/graph.js'),
    import('../build/toolchain.js'),
    import('../build/variant-names.js'),
    import('../report/reasons.js'),
    import('../report/format.js'),
  ]);
  const { executor, tasks, variant } = await toolchain(services);
  const { config, provenance, paths, file } = services.loaded;
  const found = await executor.analyse(
    tasks,
    updateTargets(config).map((name) => nameIn(variant, name)),
  );
  return {
    exitCode: EXIT.passed,
    text: statusText(found, paths.project, painter(services.colour)),
    data: {
      version: packageVersion(),
      paths,
      configFile: file ?? null,
      config,
      provenance,
      tasks: found.map((task) => Object.assign({}, task, { lastDurationMs: task.lastDurationMs ?? null })),
    },
  };
}

/** Lines that are both outputs of a GitHub step and a dotenv file of GitLab; several paths are separated by ':'. */
async function keysReport(services: Services): Promise<Result> {
  const { cacheKeys } = await import('./status/cache-keys.js');
  const keys = await cacheKeys(services);
  const { work, ...caches } = keys;
  const lines = Object.entries(caches).flatMap(([name, { key, prefix, paths }]) => [
    `stopwatch_${name}_key=${key}`,
    `stopwatch_${name}_prefix=${prefix}`,
    `stopwatch_${name}_paths=${paths.join(':')}`,
  ]);
  const text = [`stopwatch_work=${work}`, ...lines].map((line) => `${line}\n`).join('');
  return { exitCode: EXIT.passed, text, data: keys };
}
