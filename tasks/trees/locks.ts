// SPDX-License-Identifier: MIT
/** The user's index of a repository and its locks, ours and those of a git that the user runs. */
import { constants, existsSync } from 'node:fs';
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { Repository } from './repository.js';

/** Makes our index the user's, so that `git status` in the tree says what is true. Only within `changing`. */
export async function installIndex(repository: Repository): Promise<void> {
  const target = join(repository.gitDir, 'index');
  const lock = `${target}.lock`;
  try {
    await copyFile(repository.worktreeIndex, lock, constants.COPYFILE_EXCL);
  } catch (cause) {
    if (!existsSync(lock)) throw cause;
    throw new StopwatchError(
      'patch-failed',
      `Another git is at work in the tree of ${repository.what}: ${lock} exists`,
      {
        hint: 'Wait for it to end; if none is running, remove that file. Then run the same command again.',
        cause,
      },
    );
  }
  await rename(lock, target);
}

const changingFile = (repository: Repository): string => repository.file('changing');

/** Runs what takes locks of the repository, so that `removeLocks` knows them for ours after a kill. */
export async function changing<T>(repository: Repository, fn: () => Promise<T>): Promise<T> {
  await writeFile(changingFile(repository), '');
  try {
    return await fn();
  } finally {
    await rm(changingFile(repository), { force: true });
  }
}

/** Removes the locks that a killed run of ours has left; those of others stay. */
export async function removeLocks(repository: Repository): Promise<void> {
  const { gitDir } = repository;
  for (const name of await readdir(repository.file(''))) {
    if (name.endsWith('.lock')) await rm(repository.file(name));
  }
  if (!existsSync(changingFile(repository))) return;
  const refs = await readdir(join(gitDir, 'refs'), { recursive: true });
  const locks = ['HEAD.lock', 'index.lock', ...refs.map((name) => join('refs', name))];
  for (const name of locks) if (name.endsWith('.lock')) await rm(join(gitDir, name), { force: true });
  await rm(changingFile(repository));
}
