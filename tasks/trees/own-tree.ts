// SPDX-License-Identifier: MIT
/** A copy of a tree of the user's own (`--source NAME=PATH`), which itself is only read. */
import { existsSync } from 'node:fs';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { chainOf, treeOf } from './series/chain.js';
import { BASE, createRepository } from './repository/create.js';
import { isManaged, type Repository, repositoryIn } from './repository/repository.js';
import { installIndex } from './repository/locks.js';
import { moveTo, saveChanges, recover } from './move.js';
import { replaySeries } from './series/replay.js';
import { importTree } from './repository/snapshot.js';

/** There may be edits in a tree that is not what it should be: it gets another name, which this gives, and is never deleted. */
export async function putAside(tree: string): Promise<string> {
  const aside = `${tree}.replaced-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await rename(tree, aside);
  return aside;
}

/** Throws 'bad-source-tree' where the work directory is in the user's tree: copies would hold copies. */
export async function refuseAround(own: string, work: string): Promise<void> {
  const [outer, inner] = await Promise.all([realpath(own), realpath(work)]);
  if (relative(outer, inner).split(sep)[0] === '..') return;
  throw new StopwatchError(
    'bad-source-tree',
    `${own} cannot be used as a source tree: the work directory ${work} is in it`,
    { hint: 'Give a work directory elsewhere, with --workdir, or another tree.' },
  );
}

/**
 * Makes the copy, or carries over what changed below `from` since: only those files are written.
 * git repositories below `from`, and `from` itself if it is one, are neither read nor copied: only
 * the files are. Gives the paths that changed; undefined when all of the copy is new. Throws
 * 'patch-failed' where the changes and the patches or edits in the copy are in conflict.
 */
export async function copyOwnTree(copy: Repository, from: string): Promise<readonly string[] | undefined> {
  const message = `${copy.what}\n\nA copy of the files in ${from}.`;
  if (!isManaged(copy)) {
    if (existsSync(copy.tree)) {
      const aside = await putAside(copy.tree);
      copy.notice(
        `${copy.tree} has lost its repository; it is copied again, and the old one is kept in ${aside}`,
      );
    }
    const partial = copy.at(repositoryIn(copy.what, `${copy.tree}.partial-copy`));
    await rm(partial.tree, { recursive: true, force: true });
    await mkdir(partial.tree, { recursive: true });
    await createRepository(partial, { content: from, message });
    await partial.git(['read-tree', '-m', '-u', 'HEAD']);
    await installIndex(partial);
    await partial.flush(partial.tree);
    await rename(partial.tree, copy.tree);
    return undefined;
  }
  await recover(copy);
  const tree = await importTree(copy, from);
  if (tree === (await treeOf(copy, (await chainOf(copy)).base))) return [];
  const base = await copy.git(['commit-tree', tree, '-m', message], { env: BASE });
  const head = await saveChanges(copy);
  const { commits } = await chainOf(copy);
  const steps = commits.map((commit) => ({ commit }));
  return moveTo(copy, head, await replaySeries(copy, base, steps));
}
