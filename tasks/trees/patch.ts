// SPDX-License-Identifier: MIT
/** Keeps a source tree patched with exactly the wanted patches, one commit for each, below what was changed by hand. */
import { git, type GitDeps, type Repository, snapshot } from './git.js';
import { moveTo, saveChanges, settle } from './move.js';
import { chainOf, patchedTip, readPatchFiles, replay, stepsTo } from './series.js';

/**
 * Gives the paths that changed. All is worked out beside the work tree first, so a conflict changes no file.
 * Throws StopwatchError: patch-failed, file-unreadable, command-failed, command-not-found (git), interrupted.
 * The caller holds the lock of the work directory.
 */
export async function applyPatches(
  repository: Repository,
  files: readonly string[],
  deps: GitDeps,
): Promise<readonly string[]> {
  await settle(repository, deps);
  const wanted = await readPatchFiles(files);
  const first = await stepsTo(repository, await chainOf(repository, deps), wanted, deps);
  if (first.same) return [];
  const head = await saveChanges(repository, deps);
  const chain = await chainOf(repository, deps);
  const { steps } = await stepsTo(repository, chain, wanted, { ...deps, notice: () => {} });
  return moveTo(repository, head, await replay(repository, chain.base, steps, deps), deps);
}

/** Paths that were changed by hand and are in no patch, whether committed or not. */
export async function handEdits(repository: Repository, deps: GitDeps): Promise<readonly string[]> {
  await settle(repository, deps);
  const tree = await snapshot(repository, deps);
  const tip = patchedTip(await chainOf(repository, deps));
  const names = await git(
    repository,
    ['diff-tree', '-r', '-z', '--name-only', '--no-renames', tip, tree],
    deps,
  );
  return names.split('\0').filter(Boolean);
}
