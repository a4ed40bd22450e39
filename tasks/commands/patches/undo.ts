// SPDX-License-Identifier: MIT
/** `patch --undo`: the trees without our patches and links, with all that was changed by hand. Trees that are patched in place come alone. */
import { join } from 'node:path';
import { EXIT } from '../../../lib/errors.js';
import { layoutOf } from '../../build/layout.js';
import { PATCHED, patchedTree, revertTree } from '../../build/patching.js';
import { gitPortsOf, withWorkLock } from '../../build/work-trees.js';
import type { Result, Services } from '../../config/services.js';

export async function undoPatches(services: Services): Promise<Result> {
  const { loaded } = services;
  const layout = layoutOf(loaded.config, loaded.paths);
  const ports = await gitPortsOf(services);
  const changed: string[] = [];
  await withWorkLock(services, layout.work, async () => {
    const trees = PATCHED.map((name) => patchedTree(name, loaded.config, layout));
    const inPlace = trees.filter((tree) => tree.inPlace);
    for (const tree of inPlace.length > 0 ? inPlace : trees) {
      for (const path of await revertTree(tree, ports)) changed.push(join(tree.repository.tree, path));
    }
  });
  const text = changed.length === 0 ? 'Nothing to take back.\n' : changed.map((path) => `${path}\n`).join('');
  return { exitCode: EXIT.passed, text, data: { changed } };
}
