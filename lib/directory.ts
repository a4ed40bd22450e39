// SPDX-License-Identifier: MIT
/** Tests whether a path is a directory, and still the same one. */
import { statSync } from 'node:fs';

export function isDirectory(path: string): boolean {
  return directoryIdentity(path) !== undefined;
}

/** Differs when the directory was replaced by another one; undefined if there is no directory. File systems reuse inode numbers. */
export function directoryIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true ? `${stat.ino} ${stat.birthtimeMs}` : undefined;
}
