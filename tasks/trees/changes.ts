// SPDX-License-Identifier: MIT
/** Changes between two trees, path by path, and a tree with such changes. */
import { git, type GitDeps, ours, type Repository } from './git.js';

/** What one path becomes. */
export interface Change {
  readonly path: string;
  /** As git writes it; '000000': the path is gone. */
  readonly mode: string;
  readonly blob: string;
}

export async function changesOf(
  repository: Repository,
  from: string,
  to: string,
  deps: GitDeps,
): Promise<readonly Change[]> {
  const raw = await git(repository, ['diff-tree', '-r', '-z', '--no-renames', from, to], deps);
  const fields = raw.split('\0');
  const changes: Change[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', , blob = ''] = (fields[at] ?? '').split(' ');
    changes.push({ path: fields[at + 1] ?? '', mode, blob });
  }
  return changes;
}

/** The tree with these changes, made in an index of its own. */
export async function withChanges(
  repository: Repository,
  tree: string,
  changes: readonly Change[],
  deps: GitDeps,
  scratch = 'replay.index',
): Promise<string> {
  const index = ours(repository, scratch);
  await git(repository, ['read-tree', tree], deps, { index });
  if (changes.length > 0) {
    // What goes first makes room for what comes in its place: a file for a directory.
    const ordered = [...changes].sort((a, b) => Number(a.mode !== '000000') - Number(b.mode !== '000000'));
    const input = ordered
      .map(({ path, mode, blob }) => `${mode === '000000' ? '0' : mode} ${blob}\t${path}\0`)
      .join('');
    await git(repository, ['update-index', '--replace', '-z', '--index-info'], deps, { index, input });
  }
  return git(repository, ['write-tree'], deps, { index });
}
