// SPDX-License-Identifier: MIT
/** Files that editors and version control leave in source directories; never an input. */

/** Shell patterns of file names. */
export const IGNORED_NAMES = ['.git', '*~', '.#*', '*.swp'] as const;

/** True for a file name (not a path) that matches one of `IGNORED_NAMES`. */
export function isIgnored(name: string): boolean {
  return name === '.git' || name.endsWith('~') || name.startsWith('.#') || name.endsWith('.swp');
}
