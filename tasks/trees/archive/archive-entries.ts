// SPDX-License-Identifier: MIT

/** Why a path may not be written below a directory; undefined when it may. */
export function pathProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'it is absolute';
  if (path.split('/').includes('..')) return 'it has ".." in it';
  if (path.includes('\0')) return 'it has a NUL byte in it';
  return undefined;
}
