// SPDX-License-Identifier: MIT
/** What was changed by hand in a source tree and is in no patch: what would be lost with the tree. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isWithin } from '../engine/graph.js';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import type { ExtractDeps } from './archive/extract.js';
import { readPatchState } from './patch-state.js';
import { knownPristine, pristineOf, type Release } from './pristine.js';
import { readState, sameState } from './archive/scratch.js';
import { changesIn } from './tree-changes.js';

export interface EditedTree {
  readonly tree: string;
  /** The archive that it was made from; where it is gone, only a tree that was written down can be judged. */
  readonly archive: string | undefined;
  /** What is linked into the tree, which is nobody's edit. */
  readonly links: readonly { readonly link: string }[];
  /** As for applyPatches. */
  readonly stateDir: string;
  /** Directory of the index that builds look at trees with. */
  readonly index: string;
}

/** As `<source>:tree` writes it beside the tree. */
const intentSchema = z.object({ sha256: z.string(), leaveOut: z.array(z.string()) });

/**
 * Paths in the tree that differ from its release and from what the applied
 * patches made of it; undefined when that cannot be told, because nothing says
 * what the release was like. The caller holds the lock of the work directory.
 */
export async function handEdits(
  { tree, archive, links, stateDir, index }: EditedTree,
  deps: ExtractDeps & { readonly notice: (text: string) => void },
): Promise<readonly string[] | undefined> {
  const release = await releaseOf(tree, archive);
  if (release === undefined) return undefined;
  const { processes, signal, notice } = deps;
  const known = await knownPristine(release);
  if (known === undefined && (archive === undefined || !existsSync(archive))) return undefined;
  const pristine = known ?? (await pristineOf(release, deps, notice));
  const trees = createTreeIndex({ directory: index, processes, signal });
  await trees.digest(tree);
  const isOurs = (path: string) => links.some(({ link }) => isWithin(path, link));
  const { changed } = changesIn(pristine, trees.entries(tree) ?? [], isOurs);
  const patched = new Map((await readPatchState(stateDir)).files.map((file) => [file.path, file.after]));
  const edits: string[] = [];
  for (const path of changed) {
    const after = patched.get(path);
    if (after !== undefined && sameState(await readState(join(tree, path)), after)) continue;
    edits.push(path);
  }
  return edits;
}

async function releaseOf(tree: string, archive: string | undefined): Promise<Release | undefined> {
  try {
    const intent = intentSchema.parse(JSON.parse(await readFile(`${tree}.tree.json`, 'utf8')));
    return { tree, archive: async () => archive ?? '', ...intent };
  } catch {
    return undefined;
  }
}
