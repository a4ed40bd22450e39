// SPDX-License-Identifier: MIT
/** The error for a conflict: what git says, and what to type so that git merges in the work tree. */
import { basename } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { chainOf, type Commit } from './chain.js';
import { gitCommandLine, type Repository } from './repository.js';
import { changing } from './locks.js';
import type { SeriesStep } from './steps.js';
import { keepUnmerged } from './unmerged.js';

/** Where a chain ended that met a conflict. */
const PARTIAL = 'refs/stopwatch/partial';

/** A commit that was made from another one. */
export interface Replayed {
  readonly from: Commit;
  readonly id: string;
}

interface Stopped {
  readonly tip: string;
  readonly done: readonly Replayed[];
  /** The first of them does not fit. */
  readonly steps: readonly SeriesStep[];
}

export async function conflict(
  repository: Repository,
  { tip, done, steps }: Stopped,
  said: readonly string[],
  index: string,
): Promise<StopwatchError> {
  await changing(repository, async () => repository.git(['update-ref', PARTIAL, tip]));
  const { what, tree } = repository;
  const [step] = steps;
  if (step === undefined) throw new StopwatchError('internal', 'No step, but a conflict');
  const checkout = gitCommandLine(repository, ['checkout', '-B', 'stopwatch', PARTIAL]);
  const lines = [
    ...said.filter((line) => !/^(Checking patch|Falling back|Performing|error: repository lacks)/.test(line)),
    ...(await conflictMarkers(repository, index)),
  ];
  const others = steps.flatMap((each) => ('commit' in each ? [each.commit] : []));
  const inHead = new Set((await chainOf(repository)).commits.map(({ id }) => id));
  const isLacking = ({ id, patch }: Commit) => patch === undefined && !inHead.has(id);
  const lacking = done.flatMap(({ from, id }) => (isLacking(from) ? [id] : []));
  if ('commit' in step) {
    // A rebase takes what is in HEAD along.
    const isInHead = inHead.has(step.commit.id);
    const left = isInHead ? others.filter(isLacking) : others;
    const keep = [...lacking, ...left.map(({ id }) => id)];
    if (keep.length > 0) await keepUnmerged(repository, keep);
    const merge = isInHead
      ? gitCommandLine(repository, ['rebase', '--onto', PARTIAL, step.commit.parent])
      : `${checkout} && ${gitCommandLine(repository, ['cherry-pick', ...others.map(({ id }) => id)])}`;
    return new StopwatchError(
      'patch-failed',
      `"${step.commit.subject}" (${step.commit.id.slice(0, 12)}) does not fit ${what} as it is now, with its patches`,
      {
        hint: `No file was changed, and your changes are commits in ${tree}. Merge them there: ${merge}; then run the same command again.`,
        lastLines: lines,
      },
    );
  }
  const files = steps.flatMap((each) => ('patch' in each ? [each.patch.file] : []));
  const byHand = others.flatMap(({ id, patch }) => (patch === undefined ? [id] : []));
  const keep = [...lacking, ...byHand];
  if (keep.length > 0) await keepUnmerged(repository, keep);
  const commands = [
    checkout,
    gitCommandLine(repository, ['am', '-3', '-C1', '--keep-non-patch', ...files]),
    ...(others.length === 0
      ? []
      : [gitCommandLine(repository, ['cherry-pick', ...others.map(({ id }) => id)])]),
  ];
  return new StopwatchError('patch-failed', `${basename(step.patch.file)} does not fit ${what} in ${tree}`, {
    hint: `No file was changed. Make the patch fit, or merge it in the tree: ${commands.join(' && ')}; then run the same command again, and npx stopwatch update_patches writes the patch.`,
    lastLines: lines,
  });
}

/** Most lines of a conflict that are shown. */
const SHOWN = 60;

/** As git would have written them into the files. */
async function conflictMarkers(repository: Repository, index: string): Promise<string[]> {
  const script = `git ls-files -u -z | tr '\\0' '\\n' | cut -f2 | sort -u | while read -r path; do
    cd "$1"
    for stage in 1 2 3; do git cat-file blob ":$stage:$path" >"conflict.$stage" 2>/dev/null || : >"conflict.$stage"; done
    printf '%s:\\n' "$path"
    git merge-file -p --diff3 -L 'the patches' -L 'before' -L 'your change' conflict.2 conflict.1 conflict.3 |
      sed -n '/^<<<<<<< /,/^>>>>>>> /p'
    rm -f conflict.?
  done`;
  const shown = await repository.script(script, [repository.file('')], { index });
  return shown === '' ? [] : shown.split('\n').slice(0, SHOWN);
}
