// SPDX-License-Identifier: MIT
/** A mistake of our own: kept in a file whole, so that it can be reported. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { packageVersion } from '../config/paths.js';
import { withoutCredentials } from '../../lib/credentials.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { PRODUCT } from '../../lib/product.js';

/**
 * Writes what was thrown, with its stack and causes; gives the file's path, or undefined where none can be written. No
 * other user may read it, or have put a link in its place.
 */
function writeCrashLog(thrown: unknown, logs: string | undefined): string | undefined {
  const text = [
    `stopwatch ${packageVersion()}, Node ${process.version}, ${process.platform} ${process.arch}`,
    `Command: ${process.argv.slice(2).join(' ')}`,
    `Directory: ${process.cwd()}`,
    '',
    inspect(thrown, { depth: 5 }),
    '',
  ].join('\n');
  const places = [() => logs, () => mkdtempSync(join(tmpdir(), `${PRODUCT}-crash-`))];
  for (const place of places) {
    try {
      const directory = place();
      if (directory === undefined) continue;
      mkdirSync(directory, { recursive: true });
      const file = join(directory, `internal-error-${randomUUID()}.log`);
      writeFileSync(file, withoutCredentials(text), { flag: 'wx', mode: 0o600 });
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
