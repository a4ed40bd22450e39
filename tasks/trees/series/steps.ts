// SPDX-License-Identifier: MIT
/** Decides which commits and patch files make a tree's new chain. */
import { basename } from 'node:path';
import { type Chain, type Commit, isSaved } from './chain.js';
import type { Repository } from '../repository/repository.js';
import { type PatchFile, subjectOf } from './patch-file.js';

export type SeriesStep = { readonly commit: Commit } | { readonly patch: PatchFile };

/**
 * The wanted patches, then the manual commits. Keeps a commit that was made from the same file, or that has the same
 * subject and was rewritten by hand. Drops commits of other patch files.
 */
export async function stepsTo(
  repository: Repository,
  { commits }: Chain,
  wanted: readonly PatchFile[],
): Promise<{ readonly steps: readonly SeriesStep[]; readonly same: boolean }> {
  const rest = [...commits];
  const take = (index: number): SeriesStep[] => rest.splice(index, 1).map((commit) => ({ commit }));
  const steps: SeriesStep[] = [];
  for (const patch of wanted) {
    const index = rest.findIndex((commit) => commit.patch === patch.sha256);
    if (index >= 0) {
      steps.push(...take(index));
      continue;
    }
    const byHand = rest.some((commit) => commit.patch === undefined && !isSaved(commit));
    const subject = byHand ? await subjectOf(repository, patch) : undefined;
    const rewritten = rest.findIndex(
      (commit) => commit.patch === undefined && !isSaved(commit) && commit.subject === subject,
    );
    if (rewritten < 0) {
      steps.push({ patch });
      continue;
    }
    repository.notice(
      `${basename(patch.file)}: ${repository.tree} has its own version of it, which stays; npx stopwatch update_patches writes it.`,
    );
    steps.push(...take(rewritten));
  }
  for (const commit of rest) if (commit.patch === undefined) steps.push({ commit });
  const same =
    steps.length === commits.length &&
    steps.every((step, index) => 'commit' in step && step.commit === commits[index]);
  return { steps, same };
}
