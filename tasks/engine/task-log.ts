// SPDX-License-Identifier: MIT
/** A task's log file: commands and everything they print, written at once. */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { withoutCredentials } from '../../lib/credentials.js';
import { errnoOf } from '../../lib/errno.js';

export interface TaskLog {
  /** Passwords in it are not kept. */
  line(text: string): void;
  close(): void;
}

/** Starts a new log; keeps the previous one as `<path>.1`. */
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
    // Not buffered, so that nothing is lost after kill -9.
    line: (text) => {
      if (open) writeSync(fd, `${withoutCredentials(text)}\n`);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
