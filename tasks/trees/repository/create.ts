// SPDX-License-Identifier: MIT
/** Makes a tree's repository, with one commit. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Repository } from './repository.js';
import { VERBATIM } from '../../../lib/git.js';
import { installIndex } from './locks.js';
import { excludeFile, importTree, snapshot } from './snapshot.js';

/** The committer of a base commit that Stopwatch made. */
export const BASE_COMMITTER = 'base@stopwatch.localhost';
export const BASE = { GIT_COMMITTER_EMAIL: BASE_COMMITTER } as const;

const CONFIG = `[core]
\trepositoryFormatVersion = 0
\tbare = false
\tfileMode = true
\tlogAllRefUpdates = true
\tautocrlf = false
\tcompression = 1
\texcludesFile = /dev/null
\thooksPath = /dev/null
\tfsmonitor = false
[commit]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
`;

/** Files that editors, builds, patch(1) and Python leave behind: never part of a tree. */
const LEFTOVERS = ['*~', '.#*', '*.swp', '__pycache__/', '*.pyc', '*.orig', '*.rej'];

/**
 * Makes a repository with one commit: the work tree as it is, or all of `content` without
 * the repositories in it. A repository outside its tree gets its name when it is complete; for one
 * inside, the caller renames the tree.
 */
export async function createRepository(
  repository: Repository,
  { content, message }: { readonly content?: string | undefined; readonly message: string },
): Promise<void> {
  const isApart = dirname(repository.gitDir) !== repository.tree;
  const partial = isApart ? repository.at({ gitDir: `${repository.gitDir}.partial` }) : repository;
  await rm(partial.gitDir, { recursive: true, force: true });
  await mkdir(join(partial.gitDir, 'stopwatch'), { recursive: true });
  await partial.git(['init', '-q', '--template=']);
  await partial.git(['symbolic-ref', 'HEAD', 'refs/heads/stopwatch']);
  await writeFile(join(partial.gitDir, 'config'), CONFIG);
  await mkdir(join(partial.gitDir, 'info'), { recursive: true });
  await writeFile(join(partial.gitDir, 'info', 'attributes'), VERBATIM);
  await exclude(partial, []);
  const tree =
    content === undefined ? await snapshot(partial, { all: true }) : await importTree(partial, content);
  const base = await partial.git(['commit-tree', tree, '-m', message], { env: BASE });
  await partial.git(['update-ref', 'HEAD', base]);
  if (content === undefined) await installIndex(partial);
  if (!isApart) return;
  await partial.flush(partial.gitDir);
  await rename(partial.gitDir, repository.gitDir);
}

/** Excludes leftovers and `links`, paths in the tree that lead to the project's own sources. */
export async function exclude(repository: Repository, links: readonly string[]): Promise<void> {
  const lines = [...LEFTOVERS, ...links.map((link) => `/${link.replaceAll(/[*?[\]\\!# ]/g, '\\$&')}`)];
  await mkdir(join(repository.gitDir, 'info'), { recursive: true });
  await writeFile(excludeFile(repository), lines.map((line) => `${line}\n`).join(''));
}
