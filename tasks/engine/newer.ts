// SPDX-License-Identifier: MIT
/**
 * make and ninja go by times, fingerprints by content. A file that comes back
 * with its old time (`mv` of a copy, `cp -p`, a tree that is extracted again)
 * has another content than what was compiled last, but is older than it: they
 * would leave the object that was made of the other content.
 */
import { statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';

/**
 * Gives changed inputs the present time where they might be older than what
 * was made of them. `madeMs`: when that was finished; undefined: it was cut
 * off, and may be of any time. Gives the paths.
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
    // Somebody else's file keeps its time; then it was not changed here either.
    await utimes(path, now, now).then(
      () => made.push(path),
      () => {},
    );
  }
  return made;
}
