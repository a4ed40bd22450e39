// SPDX-License-Identifier: MIT
/** Failures of the file system, in words that a user can act on. */
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';

/** True when the file or directory that was asked for does not exist. */
export function isMissing(error: unknown): boolean {
  const { code } = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Turns a full disk and a lack of permission into their own codes; gives back
 * anything else unchanged. `action` completes "Could not …", e.g. 'write the download'.
 */
export function explainFsError(error: unknown, action: string, path: string): unknown {
  switch (errnoOf(error).code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return diskFull(action, path, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StopwatchError('permission-denied', `Could not ${action}: ${path} is not writable`, {
        hint: `Give yourself the right to write there, or choose another directory.`,
        cause: error,
      });
    case undefined:
    default:
      return error;
  }
}

/** The disk that holds `path` has no room left. */
export function diskFull(action: string, path: string, cause?: unknown): StopwatchError {
  return new StopwatchError('disk-full', `Could not ${action}: no space is left on the disk of ${path}`, {
    hint: 'Free some space there and run the same command again; what was finished is kept.',
    cause,
  });
}

/** The user, or a failed neighbour, ended the run. */
export function interrupted(what: string): StopwatchError {
  return new StopwatchError('interrupted', `Interrupted: ${what}`);
}
