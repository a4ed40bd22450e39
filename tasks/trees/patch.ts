// SPDX-License-Identifier: MIT
/** Keeps a source tree patched with exactly the wanted patches, one commit for each, below the manual changes. */
import { join } from 'node:path';
import { changesOf } from './repository/changes.js';
import { type Chain, chainOf, type Commit, isGenerated, isSaved, patchedTip } from './series/chain.js';
import type { Repository } from './repository/repository.js';
import { moveTo, saveChanges, recover } from './move.js';
import { readPatchFiles } from './series/patch-file.js';
import { replaySeries } from './series/replay.js';
import { snapshot } from './repository/snapshot.js';
import { stepsTo } from './series/steps.js';
import { forgetUnmerged, UNMERGED, unmergedCommits } from './series/unmerged.js';

/**
 * Returns the paths that changed. The result is computed outside the work tree first, so a conflict changes no file.
 * Throws StopwatchError: patch-failed, file-unreadable, command-failed, command-not-found (git), interrupted.
 * The caller holds the lock of the work directory.
 */
export async function applyPatches(
  repository: Repository,
  files: readonly string[],
): Promise<readonly string[]> {
  await recover(repository);
  const wanted = await readPatchFiles(files);
  const now = await chainOf(repository);
  const missing = await unmergedCommits(repository, now);
  // Before anything is saved on top of them.
  if (missing.length === 0) await forgetUnmerged(repository);
  const first = await stepsTo(repository, withMissing(now, missing), wanted);
  if (first.same && missing.length === 0) return [];
  const head = await saveChanges(repository);
  const chain = withMissing(await chainOf(repository), missing);
  const { steps } = await stepsTo(repository.quiet(), chain, wanted);
  const changed = await moveTo(repository, head, await replaySeries(repository, chain.base, steps));
  if (missing.length > 0) {
    await forgetUnmerged(repository);
    const subjects = missing.map(({ subject }) => `"${subject}"`).join(', ');
    repository.notice(`Put back into ${repository.tree}, which lacked it since a conflict: ${subjects}`);
  }
  return changed;
}

/** Below what is not committed yet. */
function withMissing(chain: Chain, missing: readonly Commit[]): Chain {
  const at = chain.commits.findLastIndex((commit) => !isSaved(commit)) + 1;
  return { ...chain, commits: [...chain.commits.slice(0, at), ...missing, ...chain.commits.slice(at)] };
}

/** Paths that were changed by hand and are in no patch, whether committed or not. */
export async function handEdits(repository: Repository): Promise<readonly string[]> {
  await recover(repository);
  const tree = await snapshot(repository);
  const tip = patchedTip(await chainOf(repository));
  return (await changesOf(repository, tip, tree)).map(({ path }) => path);
}

/** Names work of the user's that is not in the files: stashes, branches and tags beside HEAD, repositories inside the tree. */
export async function hiddenWork(repository: Repository): Promise<readonly string[]> {
  const found: string[] = [];
  const list = ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags', UNMERGED];
  for (const ref of (await repository.git(list)).split('\n').filter(Boolean)) {
    const committers = await repository.git(['log', '--format=%ce', ref, '--not', 'HEAD']);
    if (!committers.split('\n').some((each) => each !== '' && !isGenerated(each))) continue;
    const [, kind = '', name] = /^refs\/(heads|tags)\/(.*)$/.exec(ref) ?? [];
    found.push(
      name === undefined ? `commits in ${ref}` : `the ${kind === 'tags' ? 'tag' : 'branch'} ${name}`,
    );
  }
  const stashes = await repository.tryGit(['stash', 'list', '--format=%gd']);
  found.push(...stashes.stdout.split('\n').filter(Boolean));
  const exclude = `--exclude-from=${join(repository.gitDir, 'info', 'exclude')}`;
  const untracked = (await repository.git(['ls-files', '-o', '-z', exclude])).split('\0');
  for (const name of untracked) if (name.endsWith('/')) found.push(`the repository ${name}`);
  return found;
}
