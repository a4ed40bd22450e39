// SPDX-License-Identifier: MIT
/** Keeps a source tree patched with exactly the wanted patches, one commit for each, below what was changed by hand. */
import { git, type GitDeps, type Repository, snapshot } from './git.js';
import { moveTo, saveChanges, settle } from './move.js';
import {
  type Chain,
  chainOf,
  type Commit,
  forgetUnmerged,
  isSaved,
  patchedTip,
  readPatchFiles,
  replay,
  stepsTo,
  unmergedCommits,
} from './series.js';

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
  const now = await chainOf(repository, deps);
  const missing = await unmergedCommits(repository, now, deps);
  // Before anything is saved on top of them.
  if (missing.length === 0) await forgetUnmerged(repository, deps);
  const first = await stepsTo(repository, withMissing(now, missing), wanted, deps);
  if (first.same && missing.length === 0) return [];
  const head = await saveChanges(repository, deps);
  const chain = withMissing(await chainOf(repository, deps), missing);
  const { steps } = await stepsTo(repository, chain, wanted, { ...deps, notice: () => {} });
  const changed = await moveTo(repository, head, await replay(repository, chain.base, steps, deps), deps);
  if (missing.length > 0) {
    await forgetUnmerged(repository, deps);
    const subjects = missing.map(({ subject }) => `"${subject}"`).join(', ');
    deps.notice(`Put back into ${repository.tree}, which lacked it since a conflict: ${subjects}`);
  }
  return changed;
}

/** Below what is not committed yet. */
function withMissing(chain: Chain, missing: readonly Commit[]): Chain {
  const at = chain.commits.findLastIndex((commit) => !isSaved(commit)) + 1;
  return { ...chain, commits: [...chain.commits.slice(0, at), ...missing, ...chain.commits.slice(at)] };
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
