// SPDX-License-Identifier: MIT
/** Reads QEMU's trace file while it grows. */
import { closeSync, openSync, readSync, statfsSync } from 'node:fs';
import { StopwatchError } from '../../lib/errors.js';
import { cannotWrite } from '../raw-logs.js';

/**
 * With a file rather than a pipe, QEMU never waits for its reader, and the trace
 * is saved before it is processed. QEMU flushes each line (util/log.c), so a
 * crash loses nothing.
 */
export class EventLog {
  readonly #path: string;
  readonly #fd: number;
  readonly #chunk = Buffer.alloc(256 * 1024);
  #at = 0;

  /** Creates an empty file. Throws StopwatchError. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w+');
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  /**
   * Passes the bytes added since the last call to `use`, at most `chunks` times 256 KiB, because QEMU may write faster
   * than this can read. They are valid until `use` returns. Returns true if there may be more.
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

  /** Throws 'disk-full' if the disk is full: QEMU does not report trace that it could not write. */
  checkSpace(): void {
    const { blocks, bfree, bavail } = statfsSync(this.#path);
    // Some file systems report no blocks; the last free blocks are reserved for root.
    if (blocks === 0 || (process.getuid?.() === 0 ? bfree : bavail) > 0) return;
    throw new StopwatchError('disk-full', `There is no space left for ${this.#path}`, {
      hint: 'Free some space on this disk.',
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}
