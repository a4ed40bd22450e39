// SPDX-License-Identifier: MIT
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../lib/errno.js';
import { StopwatchError } from '../lib/errors.js';

export function cannotWrite(path: string, cause: unknown): StopwatchError {
  const full = errnoOf(cause).code === 'ENOSPC';
  return new StopwatchError(full ? 'disk-full' : 'permission-denied', `Cannot write ${path}`, {
    cause,
    hint: full ? 'Free some space on this disk.' : 'See whether the directory is writable.',
  });
}

/** QEMU was ended for a file. */
export function tooLarge(path: string): StopwatchError {
  return new StopwatchError(
    'disk-full',
    `QEMU was ended: a file of its own became larger than this shell allows, most likely ${path}`,
    {
      hint: 'Raise the limit of this shell: ulimit -f unlimited',
    },
  );
}

/** Files that get every byte as it comes. */
export class RawLogs {
  readonly #open: number[] = [];

  /** Gives the function that writes to it. Both throw StopwatchError. */
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
