// SPDX-License-Identifier: MIT
/** Commits and patch files become a new chain, without touching the work tree. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { type Commit, markOf, recommit, treeOf } from './chain.js';
import { changesOf, withChanges } from './changes.js';
import { conflict, type Replayed } from './conflict.js';
import type { Repository } from './repository.js';
import { type Mail, mailOf } from './patch-file.js';
import type { SeriesStep } from './steps.js';

/**
 * Commits the steps on top of `onto`, in objects and an index of its own. Throws 'patch-failed' with
 * what git says, and what to type so that git merges in the work tree.
 */
export async function replaySeries(
  repository: Repository,
  onto: string,
  steps: readonly SeriesStep[],
): Promise<string> {
  const index = repository.file('replay.index');
  let tip = onto;
  let loaded: string | undefined;
  const done: Replayed[] = [];
  for (const [at, step] of steps.entries()) {
    if ('commit' in step && step.commit.parent === tip) {
      tip = step.commit.id;
      continue;
    }
    if (loaded !== tip) await repository.git(['read-tree', tip], { index });
    const mail = 'patch' in step ? await mailOf(repository, step.patch) : undefined;
    const diff = mail?.diff ?? (await diffOf(repository, stepCommit(step), tip));
    const args = ['apply', '--cached', '--3way', '--verbose', '--whitespace=nowarn'];
    const isEmpty = (await readFile(diff)).length === 0;
    if (!isEmpty) {
      // Patch files keep little context, so that they fit other releases too.
      const context = 'patch' in step ? ['-C1'] : [];
      const { ok, said } = await repository.tryGit([...args, ...context, diff], { index });
      if (!ok) throw await conflict(repository, { tip, done, steps: steps.slice(at) }, said, index);
      for (const line of said) {
        if (line.startsWith('Hunk ')) repository.log(`${nameOf(step)}: ${line}`);
      }
    }
    const tree = await repository.git(['write-tree'], { index });
    const isGone = 'commit' in step && tree === (await treeOf(repository, tip));
    // A change by hand that the new series has as well.
    if (!isGone) {
      tip = await commitStep(repository, tip, tree, step, mail);
      if ('commit' in step) done.push({ from: step.commit, id: tip });
    }
    loaded = tip;
  }
  return tip;
}

function stepCommit(step: SeriesStep): Commit {
  if ('commit' in step) return step.commit;
  throw new StopwatchError('internal', 'A patch file has no commit yet');
}

const nameOf = (step: SeriesStep): string =>
  'patch' in step ? basename(step.patch.file) : step.commit.subject;

async function commitStep(
  repository: Repository,
  parent: string,
  tree: string,
  step: SeriesStep,
  mail: Mail | undefined,
): Promise<string> {
  if (mail === undefined || 'commit' in step) {
    const { id, patch } = stepCommit(step);
    const mark: Record<string, string> = patch === undefined ? {} : { GIT_COMMITTER_EMAIL: markOf(patch) };
    return recommit(repository, parent, tree, id, mark);
  }
  const env = {
    ...(mail.author === '' ? {} : { GIT_AUTHOR_NAME: mail.author, GIT_AUTHOR_EMAIL: mail.email }),
    GIT_COMMITTER_NAME: basename(step.patch.file),
    GIT_COMMITTER_EMAIL: markOf(step.patch.sha256),
  };
  const input = `${`${mail.subject}\n\n${mail.body}`.trimEnd()}\n`;
  return repository.git(['commit-tree', tree, '-p', parent, '-F', '-'], { input, env });
}

/** The commit's changes without those that `tip` has already: git apply refuses to add or delete a file twice. */
async function diffOf(repository: Repository, { id, parent }: Commit, tip: string): Promise<string> {
  const missing = new Set((await changesOf(repository, tip, id)).map(({ path }) => path));
  const present = (await changesOf(repository, parent, id)).filter(({ path }) => !missing.has(path));
  const from = present.length === 0 ? parent : await withChanges(repository, parent, present, 'commit.index');
  const file = repository.file('commit.diff');
  await writeFile(file, '');
  const script = 'git diff-tree -p --binary --full-index --no-renames "$1" "$2" >"$3"';
  await repository.script(script, [from, id, file]);
  return file;
}
