// SPDX-License-Identifier: MIT
/**
 * The keys under which a CI system keeps what is worth keeping from one run to the next, from what is known before
 * anything is downloaded: the task graph's own fingerprints, without what tasks make for each other.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { createEvaluator } from '../../engine/evaluate.js';
import { buildGraph, selectTargets } from '../../engine/graph.js';
import { baseEnvironment } from '../../../lib/environment.js';
import { ccacheDirectory } from '../../build/ccache-directory.js';
import type { Services } from '../../config/services.js';
import { cacheDirectory } from '../../build/sources.js';
import { toolchain } from '../../build/toolchain.js';
import { nameIn } from '../../build/variant-names.js';

/** Directories that are kept from one run of a CI system to the next, and the name under which they are. */
export interface Cache {
  /** Equal keys: what was kept is what this run would make. */
  readonly key: string;
  /** Of keys whose content is of some use all the same; the key itself where there are none. */
  readonly prefix: string;
  /** Absolute; not all of them need to be there. */
  readonly paths: readonly string[];
}

export interface CacheKeys {
  /** The work directory. */
  readonly work: string;
  readonly downloads: Cache;
  readonly build: Cache;
  readonly ccache: Cache;
}

/** To be raised when what was kept under the same keys must not be used any more. */
const FORMAT = 1;
/** What decides whether a build directory is worth keeping; what is built in it is make's and ninja's to see. */
const CONFIGURED = ['qemu:configure', 'linux:configure', 'busybox:configure'];
/** Of the work directory. Not the reports and logs, which belong to one run. */
const KEPT = ['src', 'build', 'vm', 'state', 'docker/src', 'docker/build', 'docker/vm', 'docker/state'];

export async function cacheKeys(services: Services): Promise<CacheKeys> {
  const { loaded, environment } = services;
  const { config, paths } = loaded;
  const host = `${process.platform}-${process.arch}`;
  const name = (what: string, fingerprint: string) =>
    `stopwatch-${FORMAT}-${what}-${fingerprint.slice(0, 20)}`;
  const dockerfile = await readFile(join(paths.package, 'docker', 'Dockerfile'), 'utf8');
  const built = digest([await configuredAs(services), dockerfile]);
  const ccache = `stopwatch-${FORMAT}-ccache-${host}-`;
  const downloads: Cache = {
    key: name('downloads', digest(sumsOf(config))),
    prefix: `stopwatch-${FORMAT}-downloads-`,
    paths: [join(cacheDirectory(config, environment), 'downloads')],
  };
  const build: Cache = {
    key: name(`build-${host}`, built),
    // What was configured in another way would be thrown away.
    prefix: name(`build-${host}`, built),
    paths: KEPT.map((part) => join(paths.work, part)),
  };
  return {
    work: paths.work,
    downloads,
    build,
    ccache: {
      key: `${ccache}${built.slice(0, 20)}`,
      prefix: ccache,
      paths: [await ccacheDirectory(services)],
    },
  };
}

/** The checksums of everything that may be downloaded, sorted. */
export function sumsOf({ sources, qemuTools }: Config): readonly string[] {
  const mirrors = [
    ...Object.values(sources).flatMap((source) => (source.tree === null ? source.mirrors : [])),
    ...Object.values(qemuTools),
  ];
  return [...new Set(mirrors.map(({ sha256 }) => sha256))].sort();
}

/** One digest over how all build directories would be configured, whether or not anything is there yet. */
async function configuredAs(services: Services): Promise<string> {
  const { loaded, environment, signal } = services;
  const { tasks } = await toolchain(services);
  const { variant } = loaded.config.build;
  const configured = CONFIGURED.map((name) => nameIn(variant, name));
  const graph = selectTargets(buildGraph(tasks), configured);
  const evaluator = createEvaluator({
    workdir: loaded.paths.work,
    processes: await services.processes(),
    env: baseEnvironment(environment),
    signal,
  });
  const made = graph.tasks.flatMap(({ outputs }) => outputs);
  const fingerprints = new Map<string, string>();
  for (const task of graph.tasks) {
    const deps = new Map(task.deps.map((dep) => [dep, fingerprints.get(dep)]));
    fingerprints.set(task.name, (await evaluator.evaluate(task, deps, made)).fingerprint);
  }
  // A variant may be built from directories that are configured as the plain ones are.
  return digest([variant, ...configured.map((name) => fingerprints.get(name) ?? '')]);
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
