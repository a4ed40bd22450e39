// SPDX-License-Identifier: MIT
/**
 * The two FIFOs of QEMU's `pipe` chardev, read when we want to and not when something comes.
 *
 * QEMU writes each answer of qtest by itself. Through a socket whose other end
 * waits, every answer wakes the reader: QEMU then spends two thirds of its time
 * in the kernel, and the reader more than it has to do. A FIFO that is looked
 * at once a millisecond wakes nobody, and has tens of thousands of bytes each
 * time. Node's streams cannot be told to wait, so these are descriptors.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from '../../lib/errno.js';

export interface Wire {
  /** Writes what fits of the bytes from there on: how many, 0 when there is no room. */
  write(bytes: Buffer, from: number): number;
  /** Reads what is there: how many bytes, 0 when there are none now, undefined when the other end is gone. */
  read(into: Buffer): number | undefined;
  close(): void;
}

/** `path`: as for `-chardev pipe`. The FIFOs are there, and QEMU has them open: before that, it would seem to be gone. */
export function openWire(path: string): Wire {
  const output = openSync(`${path}.out`, constants.O_RDONLY | constants.O_NONBLOCK);
  let input: number;
  try {
    input = openSync(`${path}.in`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    closeSync(output);
    throw error;
  }
  let open = true;
  return {
    write: (bytes, from) => {
      try {
        return writeSync(input, bytes, from);
      } catch (error) {
        // Gone: that is for `read` to say, after its last words.
        if (['EAGAIN', 'EPIPE'].includes(errnoOf(error).code ?? '')) return 0;
        throw error;
      }
    },
    read: (into) => {
      try {
        const length = readSync(output, into, 0, into.length, null);
        return length === 0 ? undefined : length;
      } catch (error) {
        if (errnoOf(error).code === 'EAGAIN') return 0;
        throw error;
      }
    },
    close: () => {
      if (!open) return;
      open = false;
      closeSync(input);
      closeSync(output);
    },
  };
}
