// SPDX-License-Identifier: MIT
/** What one worker of `dev` leaves to the next. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { StopwatchError } from '../../../lib/errors.js';
import { deserializeError, serializeError, serializedErrorSchema } from '../../../lib/serialize-error.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { type Verdict, verdictSchema } from './verdict.js';

export interface DevState {
  readonly before: Verdict | undefined;
  /** What is saved and not judged; undefined when nothing is to be run at once. */
  readonly saved: readonly string[] | undefined;
  /** When the first of these was saved, milliseconds since 1970. */
  readonly savedAt: number;
  /** Directory of the last run, if it can be judged again. */
  readonly judged: string | undefined;
  readonly divergence: StopwatchError | undefined;
  /** The watched files as they were then, path to digest: a save between two workers is not lost. */
  readonly files: ReadonlyMap<string, string>;
}

const schema = z.object({
  /** Of the supervisor: another one's state is of no use. */
  pid: z.number(),
  before: verdictSchema.optional(),
  saved: z.array(z.string()).optional(),
  savedAt: z.number(),
  judged: z.string().optional(),
  divergence: serializedErrorSchema.optional(),
  files: z.array(z.tuple([z.string(), z.string()])),
});

export async function writeState(file: string, { divergence, files, ...state }: DevState): Promise<void> {
  const serialized = divergence && serializeError(divergence);
  await writeFileAtomic(
    file,
    JSON.stringify({ pid: process.ppid, ...state, divergence: serialized, files: [...files] }),
  );
}

/** Undefined: this is the first worker. */
export async function readState(file: string): Promise<DevState | undefined> {
  try {
    const state = schema.parse(JSON.parse(await readFile(file, 'utf8')));
    const { pid, divergence, before, saved, savedAt, judged } = state;
    if (pid !== process.ppid) return undefined;
    return {
      before,
      saved,
      savedAt,
      judged,
      divergence: divergence && deserializeError(divergence),
      files: new Map(state.files),
    };
  } catch {
    return undefined;
  }
}
