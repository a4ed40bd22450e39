// SPDX-License-Identifier: MIT
/** Files of arguments: what a check cannot see, and for each why not. */
import { readFile } from 'node:fs/promises';
import { StopwatchError } from '../core/errors.js';

/** By what is argued about. */
export async function readArguments(file: string): Promise<ReadonlyMap<string, string>> {
  const entries: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
    throw new StopwatchError('internal', `${file}: expected an object of arguments`);
  return new Map(Object.entries(entries).map(([what, why]) => [what, String(why)]));
}
