// SPDX-License-Identifier: MIT
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { StopwatchError } from '../lib/errors.js';

/** Files that get every byte as it comes. */
export class RawLogs {
  readonly #open: number[] = [];

  /** Gives the function that writes to it. Throws StopwatchError. */
  create(path: string): (bytes: Uint8Array) => void {
    const fail = (error: unknown): never => {
      const { code } = error instanceof Error && 'code' in error ? error : { code: undefined };
      throw new StopwatchError(
        code === 'ENOSPC' ? 'disk-full' : 'permission-denied',
        `Cannot write ${path}`,
        {
          cause: error,
          hint:
            code === 'ENOSPC' ? 'Free some space on this disk.' : 'See whether the directory is writable.',
        },
      );
    };
    let fd: number;
    try {
      fd = openSync(path, 'w');
    } catch (error) {
      return fail(error);
    }
    this.#open.push(fd);
    return (bytes) => {
      try {
        writeFileSync(fd, bytes);
      } catch (error) {
        fail(error);
      }
    };
  }

  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd);
  }
}
