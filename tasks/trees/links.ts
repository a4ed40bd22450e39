// SPDX-License-Identifier: MIT
/** Symbolic links from a source tree to the project's own sources, so that an edit is seen by the next build. */
import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { explainFsError, isMissing } from './fs-errors.js';
import { announceWrite, refuseLinks, removeEmptyParents, treeRoot, type UsersOwn } from './own-tree.js';

export interface SourceLink {
  /** Path in the tree. */
  readonly link: string;
  /** Absolute path of what it leads to, a file or a directory. */
  readonly target: string;
}

export interface LinkRequest {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  readonly links: readonly SourceLink[];
  readonly usersOwn?: UsersOwn;
}

/**
 * Makes the links that are missing and turns those that lead elsewhere. Gives
 * the paths that changed. Throws 'patch-failed' when a real file is in the
 * way, before anything is changed; 'bad-source-tree' as announceWrite.
 */
export async function linkSources(
  request: LinkRequest,
  deps: { readonly notice: (text: string) => void },
): Promise<readonly string[]> {
  const root = await treeRoot(request.what, request.tree);
  const missing: SourceLink[] = [];
  for (const item of request.links) {
    const found = await linkAt(root, item.link);
    if (found.kind === 'other') {
      throw new StopwatchError(
        'patch-failed',
        `${join(root, item.link)} is in the way: expected a link to ${item.target}`,
        {
          hint: 'Nothing was changed. Move it away if it is yours, then run the same command again.',
        },
      );
    }
    if (found.kind === 'missing' || found.target !== item.target) missing.push(item);
  }
  const changed = missing.map((item) => item.link);
  announceWrite(root, changed, request.usersOwn, deps.notice);
  for (const { link, target } of missing) await putLink(join(root, link), target);
  return changed;
}

/** Removes those of the links that lead to their targets, and directories left empty. Gives the paths that were removed. */
export async function unlinkSources(
  request: LinkRequest,
  deps: { readonly notice: (text: string) => void },
): Promise<readonly string[]> {
  const root = await treeRoot(request.what, request.tree);
  const ours: string[] = [];
  for (const { link, target } of request.links) {
    const found = await linkAt(root, link);
    if (found.kind === 'link' && found.target === target) ours.push(link);
  }
  announceWrite(root, ours, request.usersOwn, deps.notice);
  for (const link of ours) {
    await rm(join(root, link), { force: true });
    await removeEmptyParents(root, link);
  }
  return ours;
}

type Found =
  | { readonly kind: 'missing' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

async function linkAt(root: string, link: string): Promise<Found> {
  await refuseLinks(root, link, true);
  const path = join(root, link);
  try {
    const isLink = (await lstat(path)).isSymbolicLink();
    return isLink ? { kind: 'link', target: await readlink(path) } : { kind: 'other' };
  } catch (error) {
    if (isMissing(error)) return { kind: 'missing' };
    throw error;
  }
}

/** By a second name and a rename: killed in between, there is the old link or the new one. */
async function putLink(path: string, target: string): Promise<void> {
  const fresh = `${path}.new-link`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(fresh, { force: true });
    await symlink(target, fresh);
    await rename(fresh, path);
  } catch (error) {
    throw explainFsError(error, 'link the sources into the tree', path);
  }
}
