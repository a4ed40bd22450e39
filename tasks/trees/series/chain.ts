// SPDX-License-Identifier: MIT
/** The commits of a tree, from its base to HEAD. */
import { StopwatchError } from '../../../lib/errors.js';
import { BASE_COMMITTER } from '../repository/create.js';
import { gitCommandLine, type Repository } from '../repository/repository.js';

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parent: string;
  readonly subject: string;
  /** Name and address. */
  readonly author: string;
  /** Address. */
  readonly committer: string;
  /** sha256 of the patch file that this commit was made from; undefined: it was made by hand. */
  readonly patch: string | undefined;
}

/** Subject of commits that hold what was not committed when commits had to move. */
const SAVED = 'Changes by hand, not committed';

export const isSaved = (commit: Commit): boolean => commit.patch === undefined && commit.subject === SAVED;

/**
 * The committer's address of a commit that was made from a patch file. git replaces it when a user
 * amends or rebases the commit, so it also shows that the commit still equals the file.
 */
export const markOf = (sha256: string): string => `${sha256}@patch.stopwatch.localhost`;
const MARK = /^([0-9a-f]{64})@patch\.stopwatch\.localhost$/;

/** True if commits of this committer are made from a release or a patch file, so that they can be made again. */
export const isGenerated = (email: string): boolean => email === BASE_COMMITTER || MARK.test(email);

export interface Chain {
  readonly base: string;
  readonly head: string;
  readonly headTree: string;
  /** Oldest first. */
  readonly commits: readonly Commit[];
}

/** The commits that git log lists. */
export async function logCommits(repository: Repository, args: readonly string[]): Promise<Commit[]> {
  const format = ['%H', '%T', '%P', '%s', '%an <%ae>', '%ce'].join('%x00');
  const log = await repository.git(['log', `--format=${format}`, ...args]);
  return log.split('\n').map((line) => {
    const [id = '', tree = '', parents = '', subject = '', author = '', committer = ''] = line.split('\0');
    const parent = parents.split(' ')[0] ?? '';
    return { id, tree, parent, subject, author, committer, patch: MARK.exec(committer)?.[1] };
  });
}

/** Throws 'patch-failed' when HEAD does not come from a base commit that Stopwatch made. */
export async function chainOf(repository: Repository): Promise<Chain> {
  const all = await logCommits(repository, ['--first-parent', '--reverse']);
  const [first, ...commits] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined || first.committer !== BASE_COMMITTER) {
    throw new StopwatchError(
      'patch-failed',
      `${repository.tree} is on a commit that does not come from the release: expected one on top of the first commit of the branch stopwatch`,
      { hint: `Go back to it: ${gitCommandLine(repository, ['checkout', 'stopwatch'])}` },
    );
  }
  return { base: first.id, head: last.id, headTree: last.tree, commits };
}

/** The last of the commits that were made from patch files and follow the base directly. */
export function patchedTip({ base, commits }: Chain): string {
  const hand = commits.findIndex(({ patch }) => patch === undefined);
  return (hand < 0 ? commits : commits.slice(0, hand)).at(-1)?.id ?? base;
}

export async function treeOf(repository: Repository, commit: string): Promise<string> {
  return repository.git(['rev-parse', `${commit}^{tree}`]);
}

export async function saveCommit(repository: Repository, parent: string, tree: string): Promise<string> {
  return repository.git(['commit-tree', tree, '-p', parent, '-m', SAVED]);
}

/** A commit with the author and the message of another one. */
export async function recommit(
  repository: Repository,
  parent: string,
  tree: string,
  from: string,
  committer: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [name = '', email = '', ...message] = (
    await repository.git(['log', '-1', '--format=%an%n%ae%n%B', from])
  ).split('\n');
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, ...committer };
  const args = ['commit-tree', tree, '-p', parent, '-F', '-'];
  return repository.git(args, { input: `${message.join('\n').trimEnd()}\n`, env });
}
