// SPDX-License-Identifier: MIT
/** Writes the content of a directory as a tree object of git, and returns its id. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import type { Repository } from './repository.js';

export const excludeFile = ({ gitDir }: Repository): string => join(gitDir, 'info', 'exclude');
/** Files of more than one byte go straight into one pack: half the time and disk space of 57,000 loose objects. */
const PACKED = 'git -c core.bigFileThreshold=1 update-index --add --remove --replace -z --stdin';

/**
 * The id of the work tree's content. It includes ignored files, but no links to the project, no leftovers, and no
 * repositories inside the tree.
 */
export async function snapshot(
  repository: Repository,
  { all = false }: { readonly all?: boolean } = {},
): Promise<string> {
  const exclude = all ? [] : [`--exclude-from=${excludeFile(repository)}`];
  const script = `list=$1; shift
    [ ! -e "$GIT_INDEX_FILE" ] || git add -u .
    git ls-files -o -z "$@" >"$list"
    [ ! -s "$list" ] || grep -zv '/$' "$list" | ${PACKED}
    rm -f "$list"
    git write-tree`;
  const take = async () => repository.script(script, [repository.file('untracked'), ...exclude]);
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(repository.worktreeIndex, { force: true });
    await repository.git(['read-tree', 'HEAD']);
    return take();
  });
}

/** The user's `git gc --prune=now` removes objects that only Stopwatch's index refers to; the files still exist. */
const isObjectMissing = (error: unknown): boolean =>
  error instanceof StopwatchError &&
  error.code === 'command-failed' &&
  error.lastLines.some((line) => line.startsWith('error: invalid object '));

/** The id of a directory's content, which is only read. It has an index of its own, so the next time only changed files are. */
export async function importTree(repository: Repository, from: string): Promise<string> {
  const index = repository.file('import.index');
  const script = `{ [ ! -e "$GIT_INDEX_FILE" ] || git ls-files -z
    find . -name .git -prune -o '(' -type f -o -type l ')' -printf '%P\\0'
  } | ${PACKED}
  git write-tree`;
  const take = async () => repository.script(script, [], { index, workTree: from });
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(index);
    return take();
  });
}
