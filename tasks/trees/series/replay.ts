// SPDX-License-Identifier: MIT
/** Makes a new chain from commits and patch files, without touching the work tree. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Commit, markOf, recommit, treeOf } from './chain.js';
import { changesOf, withChanges } from '../repository/changes.js';
import { conflict, type Replayed } from './conflict.js';
import { mailOf, type PatchFile } from './patch-file.js';
import type { Repository } from '../repository/repository.js';
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
    const commit = 'commit' in step ? step.commit : undefined;
    if (commit?.parent === tip) {
      tip = commit.id;
      continue;
    }
    if (loaded !== tip) await repository.git(['read-tree', tip], { index });
    const change =
      'commit' in step
        ? await changeOfCommit(repository, step.commit, tip)
        : await changeOfPatch(repository, step.patch, tip);
    const isEmpty = (await readFile(change.diff)).length === 0;
    if (!isEmpty) {
      const { ok, said } = await repository.tryGit(['apply', ...APPLY, ...change.options, change.diff], {
        index,
      });
      if (!ok) throw await conflict(repository, { tip, done, step, later: steps.slice(at + 1) }, said, index);
      for (const line of said) {
        if (line.startsWith('Hunk ')) repository.log(`${change.name}: ${line}`);
      }
    }
    const tree = await repository.git(['write-tree'], { index });
    // Skip a manual change that the new series also has.
    if (commit === undefined || tree !== (await treeOf(repository, tip))) {
      tip = await change.commit(tree);
      if (commit !== undefined) done.push({ from: commit, id: tip });
    }
    loaded = tip;
  }
  return tip;
}

const APPLY = ['--cached', '--3way', '--verbose', '--whitespace=nowarn'];

/** The changes of a step on the tip. */
interface StepChange {
  readonly name: string;
  /** File that holds the diff, which may be empty. */
  readonly diff: string;
  /** For git apply. */
  readonly options: readonly string[];
  /** Commits the tree that results. */
  commit(tree: string): Promise<string>;
}

async function changeOfPatch(repository: Repository, patch: PatchFile, tip: string): Promise<StepChange> {
  const name = basename(patch.file);
  const { author, email, subject, body, diff } = await mailOf(repository, patch);
  const env = {
    ...(author === '' ? {} : { GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: email }),
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: markOf(patch.sha256),
  };
  const input = `${`${subject}\n\n${body}`.trimEnd()}\n`;
  return {
    name,
    diff,
    // Patch files keep little context, so that they fit other releases too.
    options: ['-C1'],
    commit: async (tree) => repository.git(['commit-tree', tree, '-p', tip, '-F', '-'], { input, env }),
  };
}

async function changeOfCommit(repository: Repository, commit: Commit, tip: string): Promise<StepChange> {
  const { id, subject, patch } = commit;
  const mark: Record<string, string> = patch === undefined ? {} : { GIT_COMMITTER_EMAIL: markOf(patch) };
  const diff = await diffOf(repository, commit, tip);
  return {
    name: subject,
    diff,
    options: [],
    commit: async (tree) => recommit(repository, tip, tree, id, mark),
  };
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
