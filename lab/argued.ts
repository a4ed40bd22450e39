// SPDX-License-Identifier: MIT
/** Files of arguments: what a check cannot see, and for each why not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';

/** By what is argued about; nothing where no file is named. `name`: relative to `directory`. */
export async function readArguments(
  directory: string,
  name: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  if (name === undefined) return new Map();
  const file = join(directory, name);
  const entries: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new StopwatchError('internal', `${file}: expected an object of arguments`);
  return new Map(Object.entries(entries).map(([what, why]) => [what, String(why)]));
}
