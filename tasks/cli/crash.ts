// SPDX-License-Identifier: MIT
/** A mistake of our own: kept in a file whole, so that it can be reported. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { packageVersion } from '../config/paths.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';

/** Writes what was thrown, with its stack and causes; gives the file's path, or undefined where none can be written. */
function writeCrashLog(thrown: unknown, logs: string | undefined): string | undefined {
  const text = [
    `stopwatch ${packageVersion()}, Node ${process.version}, ${process.platform} ${process.arch}`,
    `Command: ${process.argv.slice(2).join(' ')}`,
    `Directory: ${process.cwd()}`,
    '',
    inspect(thrown, { depth: 5 }),
    '',
  ].join('\n');
  for (const directory of [logs, tmpdir()]) {
    if (directory === undefined) continue;
    const file = join(directory, `internal-error-${process.pid}.log`);
    try {
      mkdirSync(directory, { recursive: true });
      writeFileSync(file, text);
      return file;
    } catch {
      // The next place.
    }
  }
  return undefined;
}

/** A crash as an error for the user. */
export function crashError(thrown: unknown, logs: string | undefined): StopwatchError {
  const log = writeCrashLog(thrown, logs);
  return new StopwatchError('internal', `Internal error: ${messageOf(thrown)}`, {
    ...(log === undefined ? {} : { log }),
    hint: 'This is a fault of stopwatch itself: please report it, with the command and the log.',
    cause: thrown,
  });
}
