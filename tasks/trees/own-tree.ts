// SPDX-License-Identifier: MIT
/** A copy of a tree of the user's own (`--source NAME=PATH`), which itself is only read. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import {
  BASE,
  createRepository,
  git,
  type GitDeps,
  importTree,
  installIndex,
  type Repository,
  repositoryIn,
} from './git.js';
import { moveTo, saveChanges, settle } from './move.js';
import { chainOf, replay, treeOf } from './series.js';

/**
 * Makes the copy, or carries over what changed below `from` since: only those files are written.
 * git repositories below `from`, and `from` itself if it is one, are neither read nor copied: only
 * the files are. Gives the paths that changed; undefined when all of the copy is new. Throws
 * 'patch-failed' where the changes and the patches or edits in the copy are in conflict.
 */
export async function copyOwnTree(
  copy: Repository,
  from: string,
  deps: GitDeps,
): Promise<readonly string[] | undefined> {
  const message = `${copy.what}\n\nA copy of the files in ${from}.`;
  if (!existsSync(copy.gitDir)) {
    const partial = repositoryIn(copy.what, `${copy.tree}.partial-copy`);
    await rm(partial.tree, { recursive: true, force: true });
    await mkdir(partial.tree, { recursive: true });
    await createRepository(partial, deps, { content: from, message });
    await git(partial, ['read-tree', '-m', '-u', 'HEAD'], deps);
    await installIndex(partial);
    await rename(partial.tree, copy.tree);
    return undefined;
  }
  await settle(copy, deps);
  const tree = await importTree(copy, from, deps);
  if (tree === (await treeOf(copy, (await chainOf(copy, deps)).base, deps))) return [];
  const base = await git(copy, ['commit-tree', tree, '-m', message], deps, { env: BASE });
  const head = await saveChanges(copy, deps);
  const { commits } = await chainOf(copy, deps);
  const steps = commits.map((commit) => ({ commit }));
  return moveTo(copy, head, await replay(copy, base, steps, deps), deps);
}
