// SPDX-License-Identifier: MIT
/** Describes a conflict: git's messages, and the commands with which the user merges in the work tree. */
import { basename } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { chainOf, type Commit } from './chain.js';
import { gitCommandLine, type Repository } from '../repository/repository.js';
import { changing } from '../repository/locks.js';
import type { SeriesStep } from './steps.js';
import { keepUnmerged } from './unmerged.js';

/** The last commit before a conflict. */
const PARTIAL = 'refs/stopwatch/partial';

/** A commit that was made from another one. */
export interface Replayed {
  readonly from: Commit;
  readonly id: string;
}

/** The point where replaying a series stopped. */
interface Stopped {
  readonly tip: string;
  readonly done: readonly Replayed[];
  /** It does not fit. */
  readonly step: SeriesStep;
  readonly later: readonly SeriesStep[];
}

const isByHand = ({ patch }: Commit): boolean => patch === undefined;

/** `said`: what git apply printed; `index`: where it left the conflict. */
export async function conflict(
  repository: Repository,
  { tip, done, step, later }: Stopped,
  said: readonly string[],
  index: string,
): Promise<StopwatchError> {
  await changing(repository, async () => repository.git(['update-ref', PARTIAL, tip]));
  const { what, tree } = repository;
  const lastLines = [
    ...said.filter((line) => !/^(Checking patch|Falling back|Performing|error: repository lacks)/.test(line)),
    ...(await conflictMarkers(repository, index)),
  ];
  const pending = [step, ...later];
  const commits = pending.flatMap((each) => ('commit' in each ? [each.commit] : []));
  const inHead = new Set((await chainOf(repository)).commits.map(({ id }) => id));
  const isLacking = (commit: Commit) => isByHand(commit) && !inHead.has(commit.id);
  // A rebase takes what is in HEAD along.
  const rebases = 'commit' in step && inHead.has(step.commit.id);
  const unmerged = [
    ...done.flatMap(({ from, id }) => (isLacking(from) ? [id] : [])),
    ...commits.filter(rebases ? isLacking : isByHand).map(({ id }) => id),
  ];
  if (unmerged.length > 0) await keepUnmerged(repository, unmerged);

  const type = (...args: readonly string[]) => gitCommandLine(repository, args);
  const checkout = type('checkout', '-B', 'stopwatch', PARTIAL);
  const cherryPick = commits.length === 0 ? [] : [type('cherry-pick', ...commits.map(({ id }) => id))];
  if ('commit' in step) {
    const { id, subject, parent } = step.commit;
    const merge = rebases ? [type('rebase', '--onto', PARTIAL, parent)] : [checkout, ...cherryPick];
    return new StopwatchError(
      'patch-failed',
      `"${subject}" (${id.slice(0, 12)}) does not fit ${what} as it is now, with its patches`,
      {
        hint: `No file was changed, and your changes are commits in ${tree}. Merge them there: ${merge.join(' && ')}; then run the same command again.`,
        lastLines,
      },
    );
  }
  const files = pending.flatMap((each) => ('patch' in each ? [each.patch.file] : []));
  const merge = [checkout, type('am', '-3', '-C1', '--keep-non-patch', ...files), ...cherryPick];
  return new StopwatchError('patch-failed', `${basename(step.patch.file)} does not fit ${what} in ${tree}`, {
    hint: `No file was changed. Make the patch fit, or merge it in the tree: ${merge.join(' && ')}; then run the same command again, and npx stopwatch update_patches writes the patch.`,
    lastLines,
  });
}

/** Most lines of a conflict that are shown. */
const SHOWN = 60;

/** The conflict markers that git would have written into the files. */
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
