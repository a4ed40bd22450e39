// SPDX-License-Identifier: MIT
/** Finds programs the way execvp does. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

const DEFAULT_PATH = '/usr/bin:/bin';

type Found =
  | { readonly found: true; readonly path: string }
  /** 'not-executable': the file exists, but we may not execute it. */
  | { readonly found: false; readonly why: 'missing' | 'not-executable' };

/** `file` with a slash is taken relative to `cwd`, any other is searched for in `path` (colon-separated). */
export function which(file: string, path: string | undefined, cwd: string = process.cwd()): Found {
  const candidates = file.includes('/')
    ? [resolve(cwd, file)]
    : (path ?? DEFAULT_PATH).split(':').map((directory) => resolve(cwd, directory, file));
  let why: 'missing' | 'not-executable' = 'missing';
  for (const candidate of candidates) {
    try {
      if (!statSync(candidate, { throwIfNoEntry: false })?.isFile()) continue;
    } catch {
      // This user may not search that directory (often root's own, under sudo or su); execvp continues too.
      continue;
    }
    try {
      accessSync(candidate, constants.X_OK);
      return { found: true, path: candidate };
    } catch {
      why = 'not-executable';
    }
  }
  return { found: false, why };
}
