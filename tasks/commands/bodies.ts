// SPDX-License-Identifier: MIT
/** The commands behind the command line. Each brings the part of the graph that it needs up to date first. */
import type { Services } from '../config/services.js';
import type { Steps } from './services.js';
import { loadDevice } from '../config/device.js';
import type { SourceName } from '../config/schema.js';
import { EXIT } from '../../lib/errors.js';
import { MODULE_TARGETS, PATCH_TARGETS, prepareTargets, updateTargets } from '../build/graph.js';
import { layoutOf } from '../build/layout.js';
import { modulePath } from '../build/linux.js';
import { bringUpToDate, toolchain } from '../build/toolchain.js';
import { nameIn } from '../build/variant-names.js';

async function upTo(services: Services, targets: readonly string[], next: string) {
  await bringUpToDate(await toolchain(services), targets);
  return { exitCode: EXIT.passed, next };
}

export const all: Steps['all'] = async (services) =>
  (await import('../boot/test-run.js')).testRun(services, {
    guest: 'test_and_quit',
    args: ['all'],
    record: false,
    config: services.loaded.config,
  });

export const runTestQuit: Steps['runTestQuit'] = async (services, options) =>
  (await import('../boot/test-run.js')).testRun(services, {
    guest: 'test_and_quit',
    args: ['run-test-quit', ...(options.record ? ['--record'] : [])],
    record: options.record,
    config: services.loaded.config,
  });

export const stress: Steps['stress'] = async (services, options) =>
  (await import('../boot/stress.js')).stressDriver(services, options);

export const replay: Steps['replay'] = async (services, options) =>
  (await import('../boot/replay.js')).replayRun(services, options);

export const allAgain: Steps['allAgain'] = async (services) =>
  (await import('../boot/test-run.js')).testRun(services, {
    guest: 'test_and_quit',
    args: ['dev'],
    record: false,
    config: services.loaded.config,
    // No time for hashes of what the next save will change.
    manifest: false,
  });

export const run: Steps['run'] = async (services, options) =>
  (await import('../boot/interactive-run.js')).interactiveRun(services, options);

export const init: Steps['init'] = async (services, options) =>
  (await import('./init/init.js')).initProject(services.loaded.paths, options, services.signal);

export const push: Steps['push'] = async (services, options) =>
  (await import('../boot/push.js')).push(services, options);

export const clean: Steps['clean'] = async (services, options) =>
  (await import('./clean/clean.js')).cleanWork(services, options);

export const crosscheck: Steps['crosscheck'] = async (services, options) =>
  (await import('../boot/crosscheck-file.js')).crosscheckFile(services, options);

export const fuzz: Steps['fuzz'] = async (services, options) =>
  (await import('../../lab/fuzz.js')).fuzzDevice(services, options);

export const mutants: Steps['mutants'] = async (services, options) =>
  (await import('../../lab/mutants.js')).judgeMutants(services, options);

export const dockerAll: Steps['dockerAll'] = async (services, options) =>
  (await import('./docker/docker.js')).dockerAll(services, options);

export const docker: Steps['docker'] = async (services, options) =>
  (await import('./docker/docker.js')).docker(services, options);

export const cacheKeys: Steps['cacheKeys'] = async (services) =>
  (await import('./cache-keys.js')).cacheKeys(services);

export const graph: Steps['graph'] = async (services) =>
  (await import('./show-graph.js')).showGraph(services);

export const prepare: Steps['prepare'] = async (services, { part }: { part: SourceName | undefined }) =>
  upTo(services, prepareTargets(part), 'npx stopwatch patch');

export const patch: Steps['patch'] = async (services) =>
  upTo(services, PATCH_TARGETS, 'npx stopwatch update');

export const updatePatches: Steps['updatePatches'] = async (services) =>
  (await import('./patches/update-patches.js')).updatePatches(services);

export const bump: Steps['bump'] = async (services, options) =>
  (await import('./bump/bump.js')).bump(services, options);

export const update: Steps['update'] = async (services) =>
  upTo(services, updateTargets(services.loaded.config), 'npx stopwatch run-test-quit');

export const module: Steps['module'] = async (given) => {
  const { config, paths } = given.loaded;
  const loaded = { ...given.loaded, config: { ...config, vm: { ...config.vm, driver: 'module' as const } } };
  const result = await upTo(
    { ...given, loaded },
    MODULE_TARGETS,
    'npx stopwatch run-test-quit --driver module',
  );
  const { description } = await loadDevice(paths);
  return { ...result, verdict: [`Module       ${modulePath(layoutOf(config, paths), description)}`] };
};

export const status: Steps['status'] = async (services) => {
  const { executor, tasks, variant } = await toolchain(services);
  const targets = updateTargets(services.loaded.config).map((name) => nameIn(variant, name));
  return executor.analyse(tasks, targets);
};
