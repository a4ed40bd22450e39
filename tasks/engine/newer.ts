// SPDX-License-Identifier: MIT
/**
 * make and ninja compare times, fingerprints compare content. A changed file with an old time (`mv` of a copy,
 * `cp -p`, a tree that was extracted again) is older than the object of its previous content, so make and ninja
 * would not compile it. And a result that another program damaged is newer than its sources, so they would keep it.
 */
import { lstatSync, statSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import type { Reason } from './events.js';

/**
 * Sets the present time on changed inputs that may be older than the outputs. `madeMs`: when the outputs were finished;
 * undefined: the build was cut off. Returns lines for the log.
 */
export async function makeNewer(
  changed: readonly string[],
  madeMs: number | undefined,
): Promise<readonly string[]> {
  const notes: string[] = [];
  const now = new Date();
  for (const path of changed) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) continue;
    if (madeMs !== undefined && stat.mtimeMs > madeMs) continue;
    // Another user's file keeps its time.
    await utimes(path, now, now).then(
      () => notes.push(`Changed, but older than the last build; given the present time: ${path}`),
      () => {},
    );
  }
  return notes;
}

/** Removes the outputs that another program changed since they were made. Returns lines for the log. */
export async function removeDamaged(reasons: readonly Reason[]): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const reason of reasons) {
    if (reason.kind !== 'output' || reason.change !== 'changed') continue;
    // Where a directory was expected, or is now, there may be more than one tool made.
    if (lstatSync(reason.path, { throwIfNoEntry: false })?.isDirectory() === true) continue;
    await rm(reason.path, { force: true });
    notes.push(`Changed since it was made; removed, to be made again: ${reason.path}`);
  }
  return notes;
}
