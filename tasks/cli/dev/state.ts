// SPDX-License-Identifier: MIT
/** What one worker of `dev` leaves to the next. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { StopwatchError } from '../../core/errors.js';
import { errorFrom, tellError, toldErrorSchema } from '../../core/told-error.js';
import { writeFileAtomic } from '../../host/atomic.js';
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
}

const schema = z.object({
  /** Of the supervisor: another one's state is of no use. */
  pid: z.number(),
  before: verdictSchema.optional(),
  saved: z.array(z.string()).optional(),
  savedAt: z.number(),
  judged: z.string().optional(),
  divergence: toldErrorSchema.optional(),
});

export async function writeState(file: string, { divergence, ...state }: DevState): Promise<void> {
  const told = divergence && tellError(divergence);
  await writeFileAtomic(file, JSON.stringify({ pid: process.ppid, ...state, divergence: told }));
}

/** Undefined: this is the first worker. */
export async function readState(file: string): Promise<DevState | undefined> {
  try {
    const { pid, divergence, before, saved, savedAt, judged } = schema.parse(
      JSON.parse(await readFile(file, 'utf8')),
    );
    if (pid !== process.ppid) return undefined;
    return { before, saved, savedAt, judged, divergence: divergence && errorFrom(divergence) };
  } catch {
    return undefined;
  }
}
