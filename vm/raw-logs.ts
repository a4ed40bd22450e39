// SPDX-License-Identifier: MIT
/** Log files that are on disk as soon as they are written, and the errors of a full disk. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../lib/errno.js';
import { StopwatchError } from '../lib/errors.js';

export function cannotWrite(path: string, cause: unknown): StopwatchError {
  const full = errnoOf(cause).code === 'ENOSPC';
  return new StopwatchError(full ? 'disk-full' : 'permission-denied', `Cannot write ${path}`, {
    cause,
    hint: full ? 'Free some space on this disk.' : 'Check that the directory is writable.',
  });
}

/** The error for a QEMU that was killed by SIGXFSZ. */
export function tooLarge(path: string): StopwatchError {
  return new StopwatchError(
    'disk-full',
    `QEMU was killed because it exceeded the file size limit (ulimit -f), most likely with ${path}`,
    {
      hint: 'Raise the limit in this shell: ulimit -f unlimited',
    },
  );
}

/** Unbuffered log files. */
export class RawLogs {
  readonly #open: number[] = [];

  /** Creates a file and returns a function that appends to it. Both throw StopwatchError. */
  create(path: string): (bytes: Uint8Array) => void {
    const guarded = <T>(action: () => T): T => {
      try {
        return action();
      } catch (error) {
        throw cannotWrite(path, error);
      }
    };
    const fd = guarded(() => openSync(path, 'w'));
    this.#open.push(fd);
    return (bytes) => guarded(() => writeFileSync(fd, bytes));
  }

  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd);
  }
}
