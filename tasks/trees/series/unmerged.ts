// SPDX-License-Identifier: MIT
/** Keeps manual commits that met a conflict, by refs, until HEAD has them. */
import { type Chain, type Commit, isSaved, logCommits } from './chain.js';
import { EMAIL, type Repository } from '../repository/repository.js';
import { changing } from '../repository/locks.js';

/** Refs UNMERGED/000000 and on, oldest first: commits by hand that following the hint of a conflict may drop from HEAD. */
export const UNMERGED = 'refs/stopwatch/unmerged';

export async function keepUnmerged(repository: Repository, ids: readonly string[]): Promise<void> {
  const names = await repository.git(['for-each-ref', '--format=%(refname)', `${UNMERGED}/`]);
  const fresh = ids.map((id, at) => ({ id, name: `${UNMERGED}/${String(at).padStart(6, '0')}` }));
  const old = names.split('\n').filter((name) => name !== '' && fresh.every((each) => each.name !== name));
  if (old.length + fresh.length === 0) return;
  const input = [
    ...fresh.map(({ id, name }) => `update ${name} ${id}\n`),
    ...old.map((name) => `delete ${name}\n`),
  ].join('');
  await changing(repository, async () => repository.git(['update-ref', '--stdin'], { input }));
}

/** To be called when the commits by hand are all in HEAD. */
export async function forgetUnmerged(repository: Repository): Promise<void> {
  await keepUnmerged(repository, []);
}

/** Commits by hand that a conflict met and that HEAD does not have, merged or as they were; oldest first. */
export async function unmergedCommits(repository: Repository, chain: Chain): Promise<readonly Commit[]> {
  const refs = await repository.git(['for-each-ref', '--format=%(objectname)', `${UNMERGED}/`]);
  if (refs === '') return [];
  const kept = await logCommits(repository, ['--no-walk=unsorted', ...refs.split('\n')]);
  const own = chain.commits.filter(({ patch }) => patch === undefined);
  const missing: Commit[] = [];
  for (const commit of kept) {
    const same = own.findIndex(({ id }) => id === commit.id);
    const index = same >= 0 ? same : own.findIndex((each) => isMerged(each, commit));
    if (index < 0) missing.push(commit);
    else own.splice(index, 1);
  }
  return missing;
}

/** Author and subject stay when git cherry-picks a commit or continues after a conflict. */
function isMerged(present: Commit, kept: Commit): boolean {
  // A commit that Stopwatch saved holds later changes, whatever its subject is.
  const isLater = isSaved(present) && present.committer === EMAIL;
  return present.subject === kept.subject && present.author === kept.author && !isLater;
}
