// SPDX-License-Identifier: MIT
/** Repositories of trees of the user's own that are patched in place: without them, the patches cannot be taken out again. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { git, type GitDeps } from './git.js';
import { chainOf } from './series.js';

/** Below the state directory. */
export const IN_PLACE = 'in-place';

export interface StateParts {
  /** Paths that may be removed: `state` itself, or all in it but what is kept. */
  readonly removable: readonly string[];
  /** Repositories whose patches are in a tree, and for people: which. */
  readonly kept: readonly { readonly gitDir: string; readonly what: string }[];
}

export async function stateParts(state: string, deps: GitDeps): Promise<StateParts> {
  const inPlace = join(state, IN_PLACE);
  const names = existsSync(inPlace) ? (await readdir(inPlace)).sort() : [];
  const kept: { gitDir: string; what: string }[] = [];
  for (const name of names.filter((each) => each.endsWith('.git'))) {
    const gitDir = join(inPlace, name);
    // The tree itself is not looked at.
    const repository = { what: name, tree: gitDir, gitDir };
    const chain = await chainOf(repository, deps).catch((error: unknown) => {
      // A damaged one takes nothing out any more.
      if (error instanceof StopwatchError && error.code === 'command-failed') return undefined;
      throw error;
    });
    if (chain === undefined || chain.commits.every(({ patch }) => patch === undefined)) continue;
    kept.push({ gitDir, what: await git(repository, ['log', '-1', '--format=%s', chain.base], deps) });
  }
  if (kept.length === 0) return { removable: [state], kept };
  const isKept = (name: string) => kept.some(({ gitDir }) => gitDir === join(inPlace, name));
  return {
    removable: [
      ...(await readdir(state)).filter((name) => name !== IN_PLACE).map((name) => join(state, name)),
      ...names.filter((name) => !isKept(name)).map((name) => join(inPlace, name)),
    ],
    kept,
  };
}
