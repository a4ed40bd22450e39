// SPDX-License-Identifier: MIT
/** A task's log file: everything that its tools print, with the commands, written as it comes. */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../../lib/errno.js';

export interface TaskLog {
  line(text: string): void;
  close(): void;
}

/** Starts a new log; the one of the run before is kept as `<path>.1`. */
export function openTaskLog(path: string): TaskLog {
  mkdirSync(dirname(path), { recursive: true });
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    if (errnoOf(error).code !== 'ENOENT') throw error;
  }
  const fd = openSync(path, 'wx', 0o644);
  let open = true;
  return {
    // Not buffered: after kill -9 all that the tools said is there.
    line: (text) => {
      if (open) writeSync(fd, `${text}\n`);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
