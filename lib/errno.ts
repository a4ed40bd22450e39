// SPDX-License-Identifier: MIT
/** Errors of the system, as Node reports them. */

interface Errno {
  /** 'ENOENT' and the like; undefined for anything else that was thrown. */
  readonly code: string | undefined;
  readonly path: string | undefined;
  readonly message: string;
}

export function errnoOf(error: unknown): Errno {
  if (!(error instanceof Error)) return { code: undefined, path: undefined, message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  return { code, path, message: error.message };
}

/** True when the file or directory that was asked for does not exist. */
export function isMissing(error: unknown): boolean {
  const { code } = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
