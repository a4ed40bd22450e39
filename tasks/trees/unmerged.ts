// SPDX-License-Identifier: MIT
/** Commits by hand that a conflict met: refs keep them until HEAD has them. */
import { type Chain, type Commit, isSaved } from './chain.js';
import { EMAIL, type Repository } from './repository.js';
import { changing } from './locks.js';

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
  const format = '--format=%(objectname)';
  const ids = (await repository.git(['for-each-ref', format, `${UNMERGED}/`])).split('\n');
  const kept = await tellApart(repository, ids.filter(Boolean));
  if (kept.length === 0) return [];
  const own = await tellApart(
    repository,
    chain.commits.flatMap(({ id, patch }) => (patch === undefined ? [id] : [])),
  );
  const missing: Commit[] = [];
  for (const { commit, key } of kept) {
    const same = own.findIndex((each) => each.commit.id === commit.id);
    // A commit of ours holds later changes, whatever it is called.
    const index = same >= 0 ? same : own.findIndex((each) => each.key === key && !each.isOurs);
    if (index < 0) missing.push(commit);
    else own.splice(index, 1);
  }
  return missing;
}

/** What stays when git cherry-picks a commit or goes on after a conflict: its author and its subject. */
async function tellApart(repository: Repository, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const format = `--format=${['%H', '%T', '%P', '%ce', '%s', '%an', '%ae'].join('%x00')}`;
  const log = await repository.git(['log', '--no-walk=unsorted', format, ...ids]);
  return log.split('\n').map((line) => {
    const [id = '', tree = '', parents = '', committer = '', subject = '', ...author] = line.split('\0');
    const commit = { id, tree, parent: parents.split(' ')[0] ?? '', subject, patch: undefined };
    return {
      commit,
      key: [subject, ...author].join('\0'),
      isOurs: isSaved(commit) && committer === EMAIL,
    };
  });
}
