// SPDX-License-Identifier: MIT
/** Which files of a tree are not as its release has them. Pure. */
import type { TreeEntry } from '../../lib/files/tree-index.js';
import type { Pristine } from './pristine.js';

export interface TreeChanges {
  /** Paths of files and symbolic links that came, went or differ in content, executability or target; sorted. */
  readonly changed: readonly string[];
  /** New things that no patch can bring to another machine, with why. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
}

/** What builds, patch(1) and Python leave behind. */
const DROPPING = /(?:^|\/)__pycache__\/|\.(?:pyc|orig|rej)$/;

/** `isOurs`: true for what is linked into the tree, and what lies below it. */
export function changesIn(
  pristine: Pristine,
  now: readonly TreeEntry[],
  isOurs: (path: string) => boolean,
): TreeChanges {
  const changed: string[] = [];
  const leftOut: { path: string; why: string }[] = [];
  const seen = new Set<string>();
  for (const entry of now) {
    const { path, type, link } = entry;
    seen.add(path);
    if (isOurs(path)) continue;
    const was = pristine.get(path);
    if (was !== undefined && isSame(was, entry)) continue;
    if (was === undefined && DROPPING.test(path)) continue;
    if (type !== 'f' && type !== 'l') leftOut.push({ path, why: 'it is neither a file nor a symbolic link' });
    else if (type === 'l' && link.startsWith('/')) {
      leftOut.push({ path, why: `it is a symbolic link to ${link}, a place of this machine` });
    } else changed.push(path);
  }
  for (const path of pristine.keys()) if (!seen.has(path) && !isOurs(path)) changed.push(path);
  return { changed: changed.sort(), leftOut };
}

function isSame(a: TreeEntry, b: TreeEntry): boolean {
  return a.type === b.type && a.executable === b.executable && a.link === b.link && a.sum === b.sum;
}
