// SPDX-License-Identifier: MIT
/** The content of a directory as a tree of git, with the id that this has. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { git, type GitDeps, gitScript, ours, type Repository, worktreeIndex } from './git.js';

export const excludeFile = ({ gitDir }: Repository): string => join(gitDir, 'info', 'exclude');
/** Larger files go straight into one pack: half the time and disk space of 57,000 loose objects. */
const PACKED = 'git -c core.bigFileThreshold=1 update-index --add --remove --replace -z --stdin';

/**
 * The id of the work tree's content. Ignored files are content, but not links of ours and
 * droppings. Of repositories inside the tree nothing is taken.
 */
export async function snapshot(
  repository: Repository,
  deps: GitDeps,
  { all = false }: { readonly all?: boolean } = {},
): Promise<string> {
  const script = [
    '[ -n "$2" ] && set -- "$1" || set -- "$1" --exclude-from="$GIT_DIR/info/exclude"',
    'list=$1; shift',
    '[ ! -e "$GIT_INDEX_FILE" ] || git add -u .',
    'git ls-files -o -z "$@" >"$list"',
    `[ ! -s "$list" ] || grep -zv '/$' "$list" | ${PACKED}`,
    'rm -f "$list"',
    'git write-tree',
  ].join('\n');
  const take = async () =>
    gitScript(repository, script, [ours(repository, 'untracked'), all ? 'all' : ''], deps);
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(worktreeIndex(repository), { force: true });
    await git(repository, ['read-tree', 'HEAD'], deps);
    return take();
  });
}

/** The user's `git gc --prune=now` takes what only an index of ours leads to; the files are still there. */
const isObjectMissing = (error: unknown): boolean =>
  error instanceof StopwatchError &&
  error.code === 'command-failed' &&
  error.lastLines.some((line) => line.startsWith('error: invalid object '));

/** The id of a directory's content, which is only read. It has an index of its own, so the next time only changed files are. */
export async function importTree(repository: Repository, from: string, deps: GitDeps): Promise<string> {
  const index = ours(repository, 'import.index');
  const script = `{ [ ! -e "$GIT_INDEX_FILE" ] || git ls-files -z
    find . -name .git -prune -o '(' -type f -o -type l ')' -printf '%P\\0'
  } | ${PACKED}
  git write-tree`;
  const take = async () => gitScript(repository, script, [], deps, { index, workTree: from });
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(index);
    return take();
  });
}
