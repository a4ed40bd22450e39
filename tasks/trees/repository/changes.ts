// SPDX-License-Identifier: MIT
/** Changes between two trees, path by path, and a tree with such changes. */
import type { Repository } from './repository.js';

/** The new state of one path. */
export interface Change {
  readonly path: string;
  /** As git writes it. */
  readonly mode: string;
  readonly blob: string;
  /** The path was not there before. */
  readonly isNew: boolean;
}

/** Mode of a path that is not there. */
const NONE = '000000';
export const isRemoved = ({ mode }: Change): boolean => mode === NONE;

export async function changesOf(
  repository: Repository,
  from: string,
  to: string,
): Promise<readonly Change[]> {
  const raw = await repository.git(['diff-tree', '-r', '-z', '--no-renames', from, to]);
  const fields = raw.split('\0');
  const changes: Change[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [before, mode = '', , blob = ''] = (fields[at] ?? '').split(' ');
    changes.push({ path: fields[at + 1] ?? '', mode, blob, isNew: before === `:${NONE}` });
  }
  return changes;
}

/** The tree with these changes, made in an index of its own. */
export async function withChanges(
  repository: Repository,
  tree: string,
  changes: readonly Change[],
  scratch = 'replay.index',
): Promise<string> {
  const index = repository.file(scratch);
  await repository.git(['read-tree', tree], { index });
  if (changes.length > 0) {
    // What goes first makes room for what comes in its place: a file for a directory.
    const ordered = [...changes].sort((a, b) => Number(isRemoved(b)) - Number(isRemoved(a)));
    const input = ordered
      .map((change) => `${isRemoved(change) ? '0' : change.mode} ${change.blob}\t${change.path}\0`)
      .join('');
    await repository.git(['update-index', '--replace', '-z', '--index-info'], { index, input });
  }
  return repository.git(['write-tree'], { index });
}
