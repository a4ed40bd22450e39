// SPDX-License-Identifier: MIT
/** Source trees of version 0.1, which had no repository: they get one, and what was changed by hand in them stays. */
import { existsSync } from 'node:fs';
import { copyFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StopwatchError } from '../../lib/errors.js';
import { git, type GitDeps, gitScript, ours, refuseForeign, type Repository, repositoryIn } from './git.js';
import { treeOf } from './series.js';

const appliedSchema = z.object({
  files: z.array(
    z.object({ path: z.string(), after: z.object({ base64: z.string(), mode: z.int() }).nullable() }),
  ),
});

/**
 * `extract` makes a fresh tree, with a repository, at the path it is given; the old tree gets that
 * repository. `state`: where version 0.1 wrote down which patches it had applied. What the tree has
 * beyond the release and these is a change by hand. Throws 'bad-source-tree' where that cannot be told.
 */
export async function adoptTree(
  repository: Repository,
  state: string,
  extract: (directory: string) => Promise<void>,
  deps: GitDeps,
): Promise<void> {
  const { what, tree, gitDir } = repository;
  refuseForeign(repository);
  if (existsSync(join(state, 'journal.json'))) {
    throw new StopwatchError(
      'bad-source-tree',
      `${tree} was being patched by an earlier version of stopwatch when that was killed`,
      {
        hint: `Let that version end it (npx stopwatch@0.1 patch), or move ${tree} and ${state} away and put your changes into the new tree.`,
      },
    );
  }
  deps.notice(`${tree} has no git repository yet; it gets one. What was changed by hand in it stays.`);
  const fresh = repositoryIn(what, `${tree}.original`);
  await rm(fresh.tree, { recursive: true, force: true });
  await extract(fresh.tree);
  const applied = await readApplied(join(state, 'applied.json'), tree);
  const index = ours(fresh, 'replay.index');
  await git(fresh, ['read-tree', 'HEAD'], deps, { index });
  for (const { path, after } of applied) {
    if (after === null) {
      await git(fresh, ['update-index', '--force-remove', '--', path], deps, { index });
      continue;
    }
    const mode = after.mode === 0o120000 ? '120000' : (after.mode & 0o100) === 0 ? '100644' : '100755';
    const script = 'base64 -d | git hash-object -w --no-filters --stdin';
    const blob = await gitScript(fresh, script, [], deps, { input: after.base64 });
    const args = ['update-index', '--add', '--replace', '--cacheinfo', `${mode},${blob},${path}`];
    await git(fresh, args, deps, { index });
  }
  const patched = await git(fresh, ['write-tree'], deps, { index });
  if (patched !== (await treeOf(fresh, 'HEAD', deps))) {
    // As if from a patch file that is no longer there: the present patches take its place.
    const env = { GIT_COMMITTER_EMAIL: `${'0'.repeat(64)}@patch.stopwatch.localhost` };
    const args = ['commit-tree', patched, '-p', 'HEAD', '-m', 'The patches of version 0.1'];
    await git(fresh, ['update-ref', 'HEAD', await git(fresh, args, deps, { env })], deps);
    // Nothing is staged.
    await copyFile(index, join(fresh.gitDir, 'index'));
  }
  await rename(fresh.gitDir, gitDir);
  await rm(fresh.tree, { recursive: true, force: true });
  await rm(state, { recursive: true, force: true });
  for (const ending of ['.pristine', '.originals'])
    await rm(`${tree}${ending}`, { recursive: true, force: true });
}

async function readApplied(file: string, tree: string) {
  if (!existsSync(file)) return [];
  try {
    return appliedSchema.parse(JSON.parse(await readFile(file, 'utf8'))).files;
  } catch (cause) {
    throw new StopwatchError(
      'bad-source-tree',
      `${file} is damaged: which patches ${tree} has is not known`,
      {
        hint: `Move ${tree} and ${file} away, and put your changes into the new tree.`,
        cause,
      },
    );
  }
}
