// SPDX-License-Identifier: MIT
/** Symbolic links from a source tree to the project's own sources, so that an edit is seen by the next build. */
import { lstat, readlink, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import { linkAtomic } from '../../lib/files/atomic.js';

export interface SourceLink {
  /** Path in the tree. */
  readonly link: string;
  /** Absolute path of what it leads to, a file or a directory. */
  readonly target: string;
}

/**
 * Makes the links that are missing and turns those that lead elsewhere. Gives the paths that
 * changed. Throws 'patch-failed' when a real file is in the way, before anything is changed.
 */
export async function linkSources(tree: string, links: readonly SourceLink[]): Promise<readonly string[]> {
  const missing: SourceLink[] = [];
  for (const item of links) {
    await refuseLinkedParents(tree, item.link);
    const found = await targetOf(join(tree, item.link));
    if (found === null) {
      throw new StopwatchError(
        'patch-failed',
        `${join(tree, item.link)} is in the way: expected a link to ${item.target}`,
        {
          hint: 'Nothing was changed. Move it away if it is yours, then run the same command again.',
        },
      );
    }
    if (found !== item.target) missing.push(item);
  }
  for (const { link, target } of missing) await linkAtomic(join(tree, link), target);
  return missing.map(({ link }) => link);
}

/** Removes those of the links that lead to their targets, and directories left empty. Gives the paths that were removed. */
export async function unlinkSources(tree: string, links: readonly SourceLink[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { link, target } of links) {
    await refuseLinkedParents(tree, link);
    if ((await targetOf(join(tree, link))) !== target) continue;
    await rm(join(tree, link), { force: true });
    await removeEmptyParents(tree, link);
    removed.push(link);
  }
  return removed;
}

/** Undefined: nothing is there; null: something else than a link. */
async function targetOf(path: string): Promise<string | undefined | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Throws when a directory on the way to `path` is a symbolic link or no directory. */
async function refuseLinkedParents(tree: string, path: string): Promise<void> {
  const parts = path.split('/');
  for (let count = 1; count < parts.length; count++) {
    const at = join(tree, ...parts.slice(0, count));
    const found = await lstat(at).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found === undefined) return;
    if (found.isDirectory()) continue;
    const got = found.isSymbolicLink() ? 'a symbolic link' : 'something else';
    throw new StopwatchError('patch-failed', `${at} is in the way: expected a directory, got ${got}`, {
      hint: 'Nothing was changed. Move it away, or take a fresh tree.',
    });
  }
}

/** Removes the directories on the way to `path` that have become empty, from the innermost. */
async function removeEmptyParents(tree: string, path: string): Promise<void> {
  for (let parent = dirname(path); parent !== '.' && parent !== '/'; parent = dirname(parent)) {
    try {
      await rmdir(join(tree, parent));
    } catch {
      // Not empty, or gone already.
      return;
    }
  }
}
