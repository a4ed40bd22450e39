// SPDX-License-Identifier: MIT
import { closeSync, openSync, readSync, statfsSync } from 'node:fs';
import { StopwatchError } from '../../lib/errors.js';
import { cannotWrite } from '../raw-logs.js';

/**
 * The file to which QEMU writes its trace, read while it grows.
 *
 * A file and not a pipe: QEMU never waits for its reader, and what it wrote is
 * saved before anything looks at it. QEMU writes out each line by itself
 * (util/log.c), so a crash loses nothing.
 */
export class EventLog {
  readonly #path: string;
  readonly #fd: number;
  readonly #chunk = Buffer.alloc(256 * 1024);
  #at = 0;

  /** Makes the file, empty. Throws StopwatchError. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w+');
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  /**
   * Gives what QEMU has added since the last call, at most `chunks` times 256 KiB: QEMU may write faster than its
   * reader can follow. The bytes are valid until `use` returns. True when there may be more.
   */
  read(use: (bytes: Buffer) => void, chunks = Number.POSITIVE_INFINITY): boolean {
    for (let left = chunks; left > 0; left--) {
      const length = readSync(this.#fd, this.#chunk, 0, this.#chunk.length, this.#at);
      if (length === 0) return false;
      this.#at += length;
      use(this.#chunk.subarray(0, length));
    }
    return true;
  }

  /** QEMU does not report a trace that it could not write. Throws 'disk-full' where that may have happened. */
  checkSpace(): void {
    const { blocks, bfree, bavail } = statfsSync(this.#path);
    // Some file systems do not say; the last blocks are for root.
    if (blocks === 0 || (process.getuid?.() === 0 ? bfree : bavail) > 0) return;
    throw new StopwatchError('disk-full', `There is no space left for ${this.#path}`, {
      hint: 'Free some space on this disk.',
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}
