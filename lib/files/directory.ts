// SPDX-License-Identifier: MIT
/** Whether a path is a directory, and the same one as before. */
import { statSync } from 'node:fs';

export function isDirectory(path: string): boolean {
  return directoryIdentity(path) !== undefined;
}

/** Differs for another directory in the same place; undefined where there is none. An inode number alone may be used again. */
export function directoryIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true ? `${stat.ino} ${stat.birthtimeMs}` : undefined;
}
