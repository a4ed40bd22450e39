// SPDX-License-Identifier: MIT
/** Moves a tree from one commit to another: saves uncommitted changes first, and writes only files that differ. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { type Change, changesOf, isRemoved } from './repository/changes.js';
import { chainOf, isSaved, saveCommit, treeOf } from './series/chain.js';
import { gitCommandLine, refuseUnmanaged, type Repository } from './repository/repository.js';
import { changing, installIndex, removeLocks } from './repository/locks.js';
import { snapshot } from './repository/snapshot.js';

/** Holds the commit that the work tree is on its way to; only while it is. */
const nextFile = (repository: Repository): string => repository.file('next');

const UNDER_WAY: Readonly<Record<string, string>> = {
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase or am',
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  // All that is left while one of several waits to be committed, or was committed with git commit.
  sequencer: 'cherry-pick or revert',
};

/** Call it before reading a tree: undoes what a killed run left half done. Throws 'patch-failed' during the user's own merge or rebase. */
export async function recover(repository: Repository): Promise<void> {
  const { what, gitDir } = repository;
  refuseUnmanaged(repository);
  for (const [name, operation] of Object.entries(UNDER_WAY)) {
    if (!existsSync(join(gitDir, name))) continue;
    throw new StopwatchError('patch-failed', `A ${operation} is under way in the tree of ${what}`, {
      hint: `End it, then run the same command again. What to do: ${gitCommandLine(repository, ['status'])}`,
    });
  }
  await removeLocks(repository);
  const next = await readFile(nextFile(repository), 'utf8').catch(() => undefined);
  if (next === undefined) return;
  const { head } = await chainOf(repository);
  const files = await restoreHalfWritten(repository, head, next);
  if (files.length > 0) repository.log(`Put back after a run that was killed: ${files.join(', ')}`);
  await rm(nextFile(repository));
}

/** Commits uncommitted changes, staged or not, and returns HEAD. */
export async function saveChanges(repository: Repository): Promise<string> {
  const tree = await snapshot(repository);
  const { head, headTree, commits } = await chainOf(repository);
  let tip = head;
  const theirs = join(repository.gitDir, 'index');
  if (existsSync(theirs)) {
    // What was staged and then changed once more would be in no commit.
    const index = repository.file('staged.index');
    await copyFile(theirs, index);
    const staged = await repository.tryGit(['write-tree'], { index });
    if (!staged.ok) {
      throw new StopwatchError('patch-failed', `The tree of ${repository.what} has unmerged files`, {
        hint: `Resolve them, then run the same command again. What to do: ${gitCommandLine(repository, ['status'])}`,
        lastLines: staged.said,
      });
    }
    const other = staged.stdout.trim();
    if (other !== headTree && other !== tree) tip = await saveCommit(repository, tip, other);
  }
  if (tree !== (await treeOf(repository, tip))) {
    // On top of what was saved before and not committed since: one commit is enough.
    const last = commits.at(-1);
    const parent = tip === head && last !== undefined && isSaved(last) ? last.parent : tip;
    tip = await saveCommit(repository, parent, tree);
  }
  if (tip === head) return head;
  await changing(repository, async () => {
    await installIndex(repository);
    await repository.git(['update-ref', '-m', 'stopwatch: save changes', 'HEAD', tip, head]);
  });
  repository.notice(`Changes by hand in ${repository.tree} are a commit now: ${tip.slice(0, 12)}`);
  return tip;
}

/** Moves from HEAD, which the work tree must equal. Returns the paths that changed. */
export async function moveTo(repository: Repository, head: string, to: string): Promise<readonly string[]> {
  if (to === head) return [];
  const changed = await changesOf(repository, head, to);
  await changing(repository, async () => {
    await writeFileAtomic(nextFile(repository), to);
    await repository.git(['read-tree', '-m', '-u', head, to]);
    await installIndex(repository);
    await repository.git(['update-ref', '-m', 'stopwatch: patch', 'HEAD', to, head]);
    await rm(nextFile(repository));
  });
  return changed.map(({ path }) => path);
}

/**
 * Puts back what a killed `moveTo` had written of the way from `head` to `next`: files with the
 * content of `next` or only the beginning of it, and files that are gone. All others were edited since.
 */
async function restoreHalfWritten(
  repository: Repository,
  head: string,
  next: string,
): Promise<readonly string[]> {
  const back: Change[] = [];
  for (const change of await changesOf(repository, head, next)) {
    const now = await contentOf(join(repository.tree, change.path));
    const written = isRemoved(change) ? undefined : await blobOf(repository, change);
    const isHalfWritten =
      now === undefined ? !change.isNew : written?.subarray(0, now.length).equals(now) === true;
    if (isHalfWritten) back.push(change);
  }
  for (const { path, isNew } of back) if (isNew) await rm(join(repository.tree, path), { force: true });
  const old = back.flatMap(({ path, isNew }) => (isNew ? [] : [`${path}\0`]));
  const index = repository.file('replay.index');
  await repository.git(['read-tree', head], { index });
  await repository.git(['checkout-index', '-f', '-z', '--stdin'], { index, input: old.join('') });
  return back.map(({ path }) => path);
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readlink(path, 'buffer');
  } catch {
    return readFile(path).catch(() => undefined);
  }
}

async function blobOf(repository: Repository, { blob }: Change): Promise<Buffer> {
  const file = repository.file('blob');
  await repository.script('git cat-file blob "$1" >"$2"', [blob, file]);
  return readFile(file);
}
