// SPDX-License-Identifier: MIT
/**
 * make and ninja compare times, fingerprints compare content. A changed file with an old time (`mv` of a copy,
 * `cp -p`, a tree that was extracted again) is older than the object of its previous content, so make and ninja
 * would not compile it.
 */
import { statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';

/**
 * Sets the present time on changed inputs that may be older than the outputs. `madeMs`: when the outputs were finished;
 * undefined: the build was cut off. Returns the paths.
 */
export async function makeNewer(
  changed: readonly string[],
  madeMs: number | undefined,
): Promise<readonly string[]> {
  const made: string[] = [];
  const now = new Date();
  for (const path of changed) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) continue;
    if (madeMs !== undefined && stat.mtimeMs > madeMs) continue;
    // Another user's file keeps its time.
    await utimes(path, now, now).then(
      () => made.push(path),
      () => {},
    );
  }
  return made;
}
