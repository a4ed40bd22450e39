// SPDX-License-Identifier: MIT
/** What one worker of `dev` leaves to the next. */
import { readFile } from 'node:fs/promises';
import type { StopwatchError } from '../../../lib/errors.js';
import { deserializeError, serializeError } from '../../../lib/serialize-error.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import type { SaveVerdict } from './verdict.js';

export interface DevState {
  readonly before: SaveVerdict | undefined;
  /** What is saved and not judged. */
  readonly saved: readonly string[];
  /** When the first of these was saved, milliseconds since 1970. */
  readonly savedAt: number;
  /** Directory of the last run, if it can be judged again. */
  readonly judged: string | undefined;
  readonly divergence: StopwatchError | undefined;
  /** The watched files as they were then, path to digest: a save between two workers is not lost. */
  readonly files: ReadonlyMap<string, string>;
}

export async function writeState(file: string, { divergence, files, ...state }: DevState): Promise<void> {
  // Of the supervisor: another one's state is of no use.
  const pid = process.ppid;
  const serialized = divergence && serializeError(divergence);
  await writeFileAtomic(file, JSON.stringify({ pid, ...state, divergence: serialized, files: [...files] }));
}

/** Undefined: this is the first worker. */
export async function readState(file: string): Promise<DevState | undefined> {
  try {
    const { pid, divergence, files, ...state } = JSON.parse(await readFile(file, 'utf8'));
    if (pid !== process.ppid) return undefined;
    return { ...state, divergence: divergence && deserializeError(divergence), files: new Map(files) };
  } catch {
    return undefined;
  }
}
