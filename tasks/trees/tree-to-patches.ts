// SPDX-License-Identifier: MIT
/** From a patched tree to its patches, with what its release was like. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isWithin } from '../engine/graph.js';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import type { ExtractDeps } from './archive/extract.js';
import { patchSections } from './patch-file.js';
import { readPatchState } from './patch-state.js';
import { originalsOf, pristineOf, type Release } from './pristine.js';
import { changesIn } from './tree-changes.js';
import { type NamedPatch, type PatchUpdate, updatedPatches } from './update-patches.js';

export interface TreeRequest {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** Paths of the patch files, as they are applied to the tree. */
  readonly patches: readonly string[];
  /** What is linked into the tree, and is in no patch. */
  readonly links: readonly { readonly link: string }[];
  /** As for applyPatches. */
  readonly stateDir: string;
  /** Directory of the index that builds look at the tree with. */
  readonly index: string;
}

export interface TreePatches {
  readonly patches: readonly NamedPatch[];
  /** What has to be written, so that the patches lead to the tree. */
  readonly updates: readonly PatchUpdate[];
}

/** Writes nothing but what is known of the release. Throws as `updatedPatches`, `originalsOf` and `pristineOf`. */
export async function patchesFromTree(
  { what, tree, patches: files, links, stateDir, index }: TreeRequest,
  release: Release,
  deps: ExtractDeps & { readonly notice: (text: string) => void },
): Promise<TreePatches> {
  const { processes, signal, notice } = deps;
  const trees = createTreeIndex({ directory: index, processes, signal });
  const [pristine] = await Promise.all([pristineOf(release, deps, notice), trees.digest(tree)]);
  const isOurs = (path: string) => links.some(({ link }) => isWithin(path, link));
  const { changed, leftOut } = changesIn(pristine, trees.entries(tree) ?? [], isOurs);
  for (const { path, why } of leftOut) notice(`${join(tree, path)} is not put into a patch: ${why}.`);

  const patches = await Promise.all(
    files.map(async (file) => ({ name: basename(file), text: await readFile(file, 'utf8') })),
  );
  const touched = patches.flatMap(({ text }) => patchSections(text).map(({ path }) => path));
  // What the patches found when they were applied is the original, unless it had been edited before.
  const state = await readPatchState(stateDir);
  const offered = new Map(state.files.map(({ path, before }) => [path, before]));
  const paths = [...new Set([...touched, ...changed])];
  const originals = await originalsOf(release, pristine, paths, offered, deps);
  const updates = await updatedPatches({ what, tree, patches, changed, originals, scratch: stateDir }, deps);
  return { patches, updates };
}
