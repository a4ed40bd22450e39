// SPDX-License-Identifier: MIT
/** Writing into source trees: where it is allowed, and never by way of a symbolic link. */
import { lstat, realpath, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { isMissing } from './fs-errors.js';

/** Says that a tree is the user's own (`--source NAME=PATH`), and whether it may be written to. */
export interface UsersOwn {
  readonly mayWrite: boolean;
  /** What the user can do to allow it, as a sentence; the hint when it is refused. */
  readonly howToAllow: string;
}

/** The real path of a source tree. Throws 'bad-source-tree' when it is no directory. */
export async function treeRoot(what: string, tree: string): Promise<string> {
  try {
    const root = await realpath(tree);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  throw new StopwatchError(
    'bad-source-tree',
    `The source tree of ${what} is not there: expected a directory at ${tree}`,
  );
}

/** Refuses to write to a user's tree without leave; with leave, says what is written. */
export function announceWrite(
  root: string,
  paths: readonly string[],
  usersOwn: UsersOwn | undefined,
  notice: (text: string) => void,
): void {
  if (usersOwn === undefined || paths.length === 0) return;
  if (!usersOwn.mayWrite) {
    throw new StopwatchError(
      'bad-source-tree',
      `${root} is your own tree and would have to be changed: ${paths.join(', ')}`,
      {
        hint: usersOwn.howToAllow,
      },
    );
  }
  notice(`Changing your own tree ${root}: ${paths.join(', ')}`);
}

/** Throws when a directory on the way to `path` is a symbolic link or no directory; so does `path` itself, unless `lastMayBeLink`. */
export async function refuseLinks(root: string, path: string, lastMayBeLink = false): Promise<void> {
  const parts = path.split('/');
  for (let count = 1; count <= parts.length; count++) {
    const isLast = count === parts.length;
    const at = join(root, ...parts.slice(0, count));
    const found = await lstat(at).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found === undefined) return;
    const good = isLast ? found.isFile() || (lastMayBeLink && found.isSymbolicLink()) : found.isDirectory();
    if (good) continue;
    throw new StopwatchError(
      'patch-failed',
      `${at} is in the way: expected ${isLast ? 'a file' : 'a directory'}, got ${found.isSymbolicLink() ? 'a symbolic link' : 'something else'}`,
      { hint: 'Nothing was changed. Move it away, or take a fresh tree.' },
    );
  }
}

/** Removes the directories on the way to `path` that have become empty, from the innermost. */
export async function removeEmptyParents(root: string, path: string): Promise<void> {
  for (let parent = dirname(path); parent !== '.' && parent !== '/'; parent = dirname(parent)) {
    try {
      await rmdir(join(root, parent));
    } catch {
      // Not empty, or gone already.
      return;
    }
  }
}
