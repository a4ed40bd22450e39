// SPDX-License-Identifier: MIT
/** Plans the series of commits that a tree's patch files are to contain. */
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { chainOf, type Commit, isSaved, treeOf } from './chain.js';
import { type Change, changesOf, withChanges } from '../repository/changes.js';
import type { Repository } from '../repository/repository.js';
import { snapshot } from '../repository/snapshot.js';

/** One commit of the series that the patch files are to contain. */
interface Planned {
  readonly tree: string;
  /** The commit that has the message and the author; undefined for a new patch. */
  readonly from: Commit | undefined;
  /** Paths that were changed in it by hand. */
  readonly paths: readonly string[];
}

export interface PlannedSeries {
  readonly base: string;
  /** All that are in the tree now. */
  readonly commits: readonly Commit[];
  /** Those after the fixed ones. */
  readonly planned: readonly Planned[];
  /** Paths of patches that became empty, by the sha256 of their files. */
  readonly dropped: ReadonlyMap<string, readonly string[]>;
}

/** `fixed`: how many commits at the beginning stay as they are. */
export async function plannedSeries(repository: Repository, fixed: number): Promise<PlannedSeries> {
  const chain = await chainOf(repository);
  const all = [...chain.commits];
  for (let last = all.at(-1); last !== undefined && isSaved(last); last = all.at(-1)) all.pop();
  const tip = all.at(-1)?.id ?? chain.base;
  const commits = all.slice(fixed);
  const changes = await uncommittedChanges(repository, tip);
  const touched = [];
  for (const commit of commits) touched.push(await committedChanges(repository, commit));
  /** By path, the last commit that changes it. */
  const owners = new Map(touched.flatMap((each, at) => each.map(({ path }) => [path, at] as const)));
  const planned: Planned[] = [];
  const dropped = new Map<string, readonly string[]>();
  let before = all[fixed - 1]?.tree ?? (await treeOf(repository, chain.base));
  for (const [at, from] of commits.entries()) {
    // From its owner on no commit touches a file: all of them get its content as it is now.
    const upTo = changes.filter(({ path }) => (owners.get(path) ?? commits.length) <= at);
    const tree = await withChanges(repository, from.tree, upTo);
    const own = changes.filter(({ path }) => owners.get(path) === at);
    const shown = from.patch === undefined ? [...own, ...(touched[at] ?? [])] : own;
    const paths = [...new Set(shown.map(({ path }) => path))].sort();
    if (tree !== before) planned.push({ tree, from, paths });
    else if (from.patch !== undefined) dropped.set(from.patch, paths);
    before = tree;
  }
  const others = changes.filter(({ path }) => !owners.has(path)).map(({ path }) => path);
  const tree = await withChanges(repository, tip, changes);
  if (tree !== before) planned.push({ tree, from: undefined, paths: others.sort() });
  return { base: chain.base, commits: all, planned, dropped };
}

/** The changes of the work tree since `tip`, without links to paths of this machine. */
async function uncommittedChanges(repository: Repository, tip: string): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const change of await changesOf(repository, tip, await snapshot(repository))) {
    const target = await machineLink(repository, change);
    if (target === undefined) changes.push(change);
    else {
      const why = `it is a symbolic link to ${target}, a path of this machine`;
      repository.notice(`${join(repository.tree, change.path)} is not put into a patch: ${why}.`);
    }
  }
  return changes;
}

/** Throws 'patch-failed' where a commit by hand adds a link to a path of this machine. */
async function committedChanges(
  repository: Repository,
  { id, parent, patch, subject }: Commit,
): Promise<readonly Change[]> {
  const changes = await changesOf(repository, parent, id);
  for (const change of patch === undefined ? changes : []) {
    const target = await machineLink(repository, change);
    if (target === undefined) continue;
    throw new StopwatchError(
      'patch-failed',
      `"${subject}" (${id.slice(0, 12)}) adds ${change.path}, a symbolic link to ${target}: a path of this machine cannot be in a patch`,
      { hint: 'Nothing was written. Take it out of that commit, with git rebase -i.' },
    );
  }
  return changes;
}

/** The target of a new symbolic link, if it is an absolute path. */
async function machineLink(repository: Repository, { mode, blob }: Change): Promise<string | undefined> {
  if (mode !== '120000') return undefined;
  const target = await repository.git(['cat-file', 'blob', blob]);
  return target.startsWith('/') ? target : undefined;
}
