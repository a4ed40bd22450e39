// SPDX-License-Identifier: MIT
/** Refuses a directory that cannot be a work directory, before anything is downloaded or removed. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { isMarked } from '../../lib/files/work-mark.js';
import { PRODUCT, WORK_DIRECTORY } from '../../lib/product.js';
import type { Paths } from './paths.js';

/** make takes a path apart at blanks and colons, and these are characters of its language and the shell's. */
const UNUSABLE = /[\s:#$%'"`\\;&|<>()*?[\]{}!]/;
/** Directories that Stopwatch makes there. */
const PARTS = ['src', 'build', 'vm', 'reports', 'logs', 'state', 'run'];

/** Throws 'bad-config'. */
export function checkWorkDirectory({ work, project, package: own }: Paths): void {
  checkWorkPath(work);
  const stat = statSync(work, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory()) refuse(work, 'it is a file, not a directory');
  const real = realOf(work);
  // Nothing can be made there, and Node never stops trying.
  if (/^\/(?:proc|sys)\//.test(real)) refuse(work, 'it is a virtual file system');
  for (const directory of [project, own]) {
    if (!`${realOf(directory)}${sep}`.startsWith(real === sep ? sep : `${real}${sep}`)) continue;
    refuse(
      work,
      `${directory === work ? 'it' : directory} has the sources, and \`clean\` removes what is in it`,
    );
  }
  const foreign = isWorkDirectory(work) ? undefined : PARTS.find((name) => existsSync(join(work, name)));
  if (foreign !== undefined) refuse(work, `it was not made by ${PRODUCT}, but has ${foreign} in it already`);
}

/** True if Stopwatch made the contents of a work directory: it has the usual name, or is marked. */
export function isWorkDirectory(work: string): boolean {
  return basename(work) === WORK_DIRECTORY || isMarked(work);
}

/** Throws 'bad-config' where make cannot work with this path. */
export function checkWorkPath(work: string): void {
  const [character] = UNUSABLE.exec(work) ?? [];
  if (character === undefined) return;
  const named = /\s/.test(character) ? 'a blank' : `the character ${character}`;
  refuse(work, `its path has ${named}, with which make cannot build Linux and Busybox`);
}

function refuse(work: string, why: string): never {
  throw new StopwatchError('bad-config', `${JSON.stringify(work)} cannot be the work directory: ${why}`, {
    hint: 'Name a directory of its own with --workdir: one that is not there yet, without blanks and special characters.',
  });
}

/** Links resolved, as far as the path exists. */
export function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realOf(above), basename(path));
  }
}
