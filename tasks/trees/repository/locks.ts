// SPDX-License-Identifier: MIT
/** The index and the locks of a repository, which the user's own git uses too. */
import { constants, existsSync } from 'node:fs';
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import type { Repository } from './repository.js';

/** Copies Stopwatch's index over the user's, so that `git status` in the tree is correct. Call it within `changing`. */
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

/** Runs `fn`, which takes locks of the repository. After a kill, `removeLocks` knows that they are Stopwatch's. */
export async function changing<T>(repository: Repository, fn: () => Promise<T>): Promise<T> {
  await writeFile(changingFile(repository), '');
  try {
    return await fn();
  } finally {
    await rm(changingFile(repository), { force: true });
  }
}

/** Removes the locks of a killed run of Stopwatch; those of the user's git stay. */
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
