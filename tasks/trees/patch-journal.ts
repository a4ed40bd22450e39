// SPDX-License-Identifier: MIT
/** Changes several files of a tree together: all of them, or after a kill none. */
import { chmod, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { removeTemporaries, writeFileAtomic } from '../../lib/files/atomic.js';
import { removeEmptyParents } from './own-tree.js';
import {
  type Journal,
  type PatchState,
  readJournal,
  readPatchState,
  removeJournal,
  writeJournal,
  writePatchState,
} from './patch-state.js';
import { type FileState, isLink, readState, sameState } from './archive/scratch.js';

/** Writes the files of the journal and then the state; a failure in between puts everything back. */
export async function commitChange(
  root: string,
  stateDir: string,
  journal: Journal,
  state: PatchState,
): Promise<void> {
  await writeJournal(stateDir, journal);
  try {
    for (const file of journal.files) await putFile(root, file.path, file.to);
    await writePatchState(stateDir, state);
  } catch (error) {
    // If this fails too (a disk gone read-only), the journal is still there for the next run.
    await recover(root, stateDir).catch(() => undefined);
    throw error;
  }
  await removeJournal(stateDir);
}

/**
 * Ends what an earlier run began: puts the files back as they were, unless it
 * had come to its end. Gives the paths that were put back. Throws
 * 'patch-failed' when one of them has been edited since.
 */
export async function recover(root: string, stateDir: string): Promise<readonly string[]> {
  const journal = await readJournal(stateDir);
  if (journal === undefined) return [];
  if ((await readPatchState(stateDir)).id === journal.id) {
    await removeJournal(stateDir);
    return [];
  }
  const back: Journal['files'][number][] = [];
  for (const file of journal.files) {
    const current = await readState(join(root, file.path));
    if (sameState(current, file.from)) continue;
    if (!sameState(current, file.to)) {
      throw new StopwatchError(
        'patch-failed',
        `${join(root, file.path)} was edited after an earlier run had been killed while patching it`,
        { hint: `Undo that edit, or remove the tree and ${stateDir}, and run the same command again.` },
      );
    }
    back.push(file);
  }
  for (const file of back) await putFile(root, file.path, file.from);
  for (const directory of new Set(journal.files.map((file) => dirname(join(root, file.path))))) {
    await removeTemporaries(directory);
  }
  await removeJournal(stateDir);
  return back.map((file) => file.path);
}

async function putFile(root: string, path: string, state: FileState): Promise<void> {
  const file = join(root, path);
  if (state === null) {
    await rm(file, { force: true });
    await removeEmptyParents(root, path);
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  if (isLink(state)) {
    // By the name of a temporary file of ours, so that what a kill leaves is removed like one.
    const fresh = `${file}.${process.pid}-0.tmp`;
    await rm(fresh, { force: true });
    await symlink(state.content, fresh);
    await rename(fresh, file);
    return;
  }
  await writeFileAtomic(file, [state.content]);
  await chmod(file, state.mode);
}
