// SPDX-License-Identifier: MIT
/** Moves a tree from one commit to another: what was not committed is saved first, and only files that differ are written. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { chainOf, isSaved, saveCommit, treeOf } from './chain.js';
import { git, type GitDeps, gitScript, inTree, ours, refuseForeign, type Repository, tryGit } from './git.js';
import { changing, installIndex, removeLocks } from './locks.js';
import { snapshot } from './snapshot.js';

/** Holds the commit that the work tree is on its way to; only while it is. */
const nextFile = (repository: Repository): string => ours(repository, 'next');

const UNDER_WAY: Readonly<Record<string, string>> = {
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase or am',
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  // All that is left while one of several waits to be committed, or was committed with git commit.
  sequencer: 'cherry-pick or revert',
};

/** To be called before a tree is looked at: ends what a killed run began. Throws 'patch-failed' while the user has git at work. */
export async function settle(repository: Repository, deps: GitDeps): Promise<void> {
  const { what, gitDir } = repository;
  refuseForeign(repository);
  for (const [name, operation] of Object.entries(UNDER_WAY)) {
    if (!existsSync(join(gitDir, name))) continue;
    throw new StopwatchError('patch-failed', `A ${operation} is under way in the tree of ${what}`, {
      hint: `End it, then run the same command again. What to do: ${inTree(repository, ['status'])}`,
    });
  }
  await removeLocks(repository);
  const next = await readFile(nextFile(repository), 'utf8').catch(() => undefined);
  if (next === undefined) return;
  const { head } = await chainOf(repository, deps);
  const files = await halfWritten(repository, head, next, deps);
  if (files.length > 0) deps.log(`Put back after a run that was killed: ${files.join(', ')}`);
  await rm(nextFile(repository));
}

/** Commits what was not committed, staged or not, and gives HEAD. */
export async function saveChanges(repository: Repository, deps: GitDeps): Promise<string> {
  const tree = await snapshot(repository, deps);
  const { head, headTree, commits } = await chainOf(repository, deps);
  let tip = head;
  const theirs = join(repository.gitDir, 'index');
  if (existsSync(theirs)) {
    // What was staged and then changed once more would be in no commit.
    const index = ours(repository, 'staged.index');
    await copyFile(theirs, index);
    const staged = await tryGit(repository, ['write-tree'], deps, { index });
    if (!staged.ok) {
      throw new StopwatchError('patch-failed', `The tree of ${repository.what} has unmerged files`, {
        hint: `Resolve them, then run the same command again. What to do: ${inTree(repository, ['status'])}`,
        lastLines: staged.said,
      });
    }
    const other = staged.stdout.trim();
    if (other !== headTree && other !== tree) tip = await saveCommit(repository, tip, other, deps);
  }
  if (tree !== (await treeOf(repository, tip, deps))) {
    // On top of what was saved before and not committed since: one commit is enough.
    const last = commits.at(-1);
    const parent = tip === head && last !== undefined && isSaved(last) ? last.parent : tip;
    tip = await saveCommit(repository, parent, tree, deps);
  }
  if (tip === head) return head;
  await changing(repository, async () => {
    await installIndex(repository);
    await git(repository, ['update-ref', '-m', 'stopwatch: save changes', 'HEAD', tip, head], deps);
  });
  deps.notice(`Changes by hand in ${repository.tree} are a commit now: ${tip.slice(0, 12)}`);
  return tip;
}

/** From HEAD, to which the work tree is equal. Gives the paths that changed. */
export async function moveTo(
  repository: Repository,
  head: string,
  to: string,
  deps: GitDeps,
): Promise<readonly string[]> {
  if (to === head) return [];
  const names = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', head, to];
  const changed = (await git(repository, names, deps)).split('\0').filter(Boolean);
  await changing(repository, async () => {
    await writeFileAtomic(nextFile(repository), to);
    await git(repository, ['read-tree', '-m', '-u', head, to], deps);
    await installIndex(repository);
    await git(repository, ['update-ref', '-m', 'stopwatch: patch', 'HEAD', to, head], deps);
    await rm(nextFile(repository));
  });
  return changed;
}

/**
 * Puts back what a killed `moveTo` had written of the way from `head` to `next`: files with the
 * content of `next` or only the beginning of it, and files that are gone. All others were edited since.
 */
async function halfWritten(
  repository: Repository,
  head: string,
  next: string,
  deps: GitDeps,
): Promise<readonly string[]> {
  const raw = await git(repository, ['diff-tree', '-r', '-z', '--no-renames', head, next], deps);
  const fields = raw.split('\0');
  const back: { readonly path: string; readonly isNew: boolean }[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, , , toBlob = '', status] = (fields[at] ?? '').split(' ');
    const path = fields[at + 1] ?? '';
    const now = await contentOf(join(repository.tree, path));
    const to = status === 'D' ? undefined : await blob(repository, toBlob, deps);
    const isOurs = now === undefined ? status !== 'A' : to?.subarray(0, now.length).equals(now) === true;
    if (isOurs) back.push({ path, isNew: status === 'A' });
  }
  for (const { path, isNew } of back) if (isNew) await rm(join(repository.tree, path), { force: true });
  const old = back.flatMap(({ path, isNew }) => (isNew ? [] : [`${path}\0`]));
  const index = ours(repository, 'replay.index');
  await git(repository, ['read-tree', head], deps, { index });
  await git(repository, ['checkout-index', '-f', '-z', '--stdin'], deps, { index, input: old.join('') });
  return back.map(({ path }) => path);
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readlink(path, 'buffer');
  } catch {
    return readFile(path).catch(() => undefined);
  }
}

async function blob(repository: Repository, id: string, deps: GitDeps): Promise<Buffer> {
  const file = ours(repository, 'blob');
  await gitScript(repository, 'git cat-file blob "$1" >"$2"', [id, file], deps);
  return readFile(file);
}
