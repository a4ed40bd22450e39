// SPDX-License-Identifier: MIT
/** `qemu:patch` and `linux:patch`: the patches are applied and the sources linked, whatever the tree had before. */
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assertTrusted } from '../config/ownership.js';
import { isPackageItself } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import { isIgnored } from '../../lib/files/ignored.js';
import { isMissing } from '../../lib/errno.js';
import { chainOf, isSaved } from '../trees/series/chain.js';
import { createRepository, exclude } from '../trees/repository/create.js';
import {
  type GitPorts,
  isManaged,
  refuseUnmanaged,
  Repository,
  repositoryIn,
  type RepositoryPlace,
} from '../trees/repository/repository.js';
import { linkSources, type SourceLink, unlinkSources } from '../trees/links.js';
import { applyPatches } from '../trees/patch.js';
import type { PatchSeries } from '../trees/update-patches.js';
import { linuxLinks } from './linux/drivers.js';
import { type Layout, ownTreeId } from './layout.js';
import { qemuLinks } from './qemu/qemu-devices.js';
import { gitPorts, type SourcePorts, TITLES } from './sources.js';

/** Repositories of trees of the user's own that are patched in place, below the state directory. */
export const IN_PLACE = 'in-place';

/** The trees that are patched. */
export const PATCHED = ['qemu', 'linux'] as const;
type PatchedName = (typeof PATCHED)[number];

/** A tree, and what belongs into it. */
interface PatchedTree {
  readonly repository: RepositoryPlace;
  /** The user's own tree, where that itself is patched. */
  readonly inPlace: boolean;
  readonly series: PatchSeries;
  readonly links: readonly SourceLink[];
}

export function patchedTree(name: PatchedName, config: Config, layout: Layout): PatchedTree {
  const { tree: own, inPlace, version } = config.sources[name];
  const what = own === null ? `${TITLES[name]} ${version}` : `${TITLES[name]} in ${own}`;
  const inTree = repositoryIn(what, layout.tree(name));
  const isOwn = own !== null && inPlace;
  return {
    // The user's own repository in the tree is left alone.
    repository: isOwn
      ? { ...inTree, gitDir: join(layout.work, 'state', IN_PLACE, `${name}-${ownTreeId(own)}.git`) }
      : inTree,
    inPlace: isOwn,
    series: seriesOf(name, layout),
    links: name === 'qemu' ? qemuLinks(layout) : linuxLinks(layout),
  };
}

/** The package's patches, and then the project's. */
function seriesOf(name: PatchedName, layout: Layout): PatchSeries {
  const directory = join(layout.project, 'patches', name);
  // By whatever link one has come to a checkout, its patches are the package's.
  if (isPackageItself(layout)) return { directory, files: patchFiles(directory), fixed: [] };
  const fixed = patchFiles(join(layout.package, 'patches', name));
  const own = patchFiles(directory);
  assertTrusted(dirname(directory), directory, ...own);
  return { directory, files: [...fixed, ...own], fixed };
}

/** None in a project that has no such directory. */
function patchFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith('.patch') && !isIgnored(name))
    .sort()
    .map((name) => join(directory, name));
}

export function patchTask(name: PatchedName, config: Config, layout: Layout, ports: SourcePorts): Task {
  const patched = patchedTree(name, config, layout);
  const { repository, series, links } = patched;
  return {
    name: `${name}:patch`,
    title: `${repository.what}: patch and link the sources`,
    deps: [`${name}:tree`],
    inputs: {
      files: series.files,
      values: { links: links.map(({ link, target }) => `${link} -> ${target}`) },
    },
    outputs: links.map(({ link }) => join(repository.tree, link)),
    jobs: 'one',
    run: async (context) => {
      const changed = await patchTree(patched, gitPorts(context, ports));
      for (const path of changed) context.log(`wrote ${path}`);
    },
  };
}

/** Patches and links. Gives the paths in the tree that changed. */
async function patchTree(
  { repository: place, inPlace, series, links }: PatchedTree,
  ports: GitPorts,
): Promise<readonly string[]> {
  const repository = new Repository(place, ports);
  const { what, tree, gitDir } = repository;
  if (inPlace && !existsSync(gitDir)) await createRepository(repository, { message: what });
  refuseUnmanaged(repository);
  await exclude(
    repository,
    links.map(({ link }) => link),
  );
  const written = await applyPatches(repository, series.files);
  const linked = await linkSources(tree, links);
  const changed = [...written, ...linked];
  if (inPlace && changed.length > 0) {
    repository.notice(
      `Changed in your own tree ${tree}: ${changed.join(', ')}. npx stopwatch patch --undo, with the same options, takes it back.`,
    );
  }
  return changed;
}

/** Takes patches and links out of a tree; what was changed by hand stays. Gives the paths that changed. */
export async function revertTree(
  { repository: place, inPlace, links }: PatchedTree,
  ports: GitPorts,
): Promise<readonly string[]> {
  if (!isManaged(place)) return [];
  const repository = new Repository(place, ports);
  // Links are what the patch task makes: killed after this, it runs again.
  const unlinked = await unlinkSources(repository.tree, links);
  const written = await applyPatches(repository, []);
  // Only its patches needed this repository; what was changed by hand is in the user's own files.
  if (inPlace && (await chainOf(repository)).commits.every(isSaved))
    await rm(repository.gitDir, { recursive: true, force: true });
  return [...written, ...unlinked];
}
