// SPDX-License-Identifier: MIT
/** The record of each task's last run, one file per task below `<workdir>/state/tasks/`. */
import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { flush, removeTemporaries, writeFileAtomic } from '../../lib/files/atomic.js';
import { readJson } from '../../lib/read-json.js';
import type { Reason } from './events.js';
import type { Parts } from './fingerprint.js';

const texts = z.record(z.string(), z.string());
const parts = z.strictObject({ values: texts, files: texts, trees: texts, tools: texts, deps: texts });
const finished = z.strictObject({
  version: z.literal(1),
  state: z.literal('finished'),
  fingerprint: z.string(),
  parts,
  /** Signature of each output. */
  outputs: texts,
  durationMs: z.number(),
});
/** Not strict: records of earlier versions have a `bootId`. */
const unfinished = z.object({
  version: z.literal(1),
  state: z.literal('unfinished'),
  durationMs: z.number().optional(),
  /** The parts of the fingerprint that it would have had. */
  parts: parts.optional(),
});
const record = z.discriminatedUnion('state', [finished, unfinished]);

export type TaskRecord = z.infer<typeof record>;

export interface TaskState {
  /** Undefined when it never ran, or the record is damaged: then it runs again. */
  read(task: string): TaskRecord | undefined;
  /** Write it before the task changes anything. */
  markUnfinished(task: string, parts: Parts, durationMs: number | undefined): Promise<void>;
  /** When the record was written, milliseconds since 1970; undefined without a record. */
  writtenMs(task: string): number | undefined;
  /** Write it when all outputs are on the disk. */
  markFinished(
    task: string,
    result: { fingerprint: string; parts: Parts; outputs: Record<string, string>; durationMs: number },
  ): Promise<void>;
  /** Removes the temporary files of killed writers. */
  tidy(): Promise<void>;
}

/** A task's name as a file name; the graph checks that no two tasks share one. */
export function taskFileName(task: string): string {
  return task.replaceAll(/[^A-Za-z0-9_-]+/g, '.');
}

export function createTaskState(directory: string): TaskState {
  const file = (task: string) => join(directory, `${taskFileName(task)}.json`);
  return {
    read: (task) => readJson(file(task), record),
    writtenMs: (task) => statSync(file(task), { throwIfNoEntry: false })?.mtimeMs,
    async markUnfinished(task, target, durationMs) {
      const mark: TaskRecord = { version: 1, state: 'unfinished', parts: target, durationMs };
      await writeFileAtomic(file(task), JSON.stringify(mark));
    },
    async markFinished(task, result) {
      const done: TaskRecord = { version: 1, state: 'finished', ...result };
      await writeFileAtomic(file(task), JSON.stringify(done, null, 1));
    },
    tidy: () => removeTemporaries(directory),
  };
}

/**
 * Stat data of an output, undefined when it is missing. A directory only has to exist:
 * later tasks change its times.
 */
export function outputSignature(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (!stat.isFile()) return 'special';
  return `file ${(stat.mode & 0o7777n).toString(8)} ${stat.size} ${stat.mtimeNs}`;
}

/** Compares the outputs with their recorded signatures. */
export function outputReasons(
  outputs: readonly string[],
  recorded: Readonly<Record<string, string>>,
): Reason[] {
  const reasons: Reason[] = [];
  for (const path of outputs) {
    const now = outputSignature(path);
    if (now === undefined) reasons.push({ kind: 'output', path, change: 'missing' });
    else if (now !== recorded[path]) reasons.push({ kind: 'output', path, change: 'changed' });
  }
  return reasons;
}

/** Flushes an output file, so that a power cut cannot leave a finished record beside an empty file. */
export async function flushOutput(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) await flush(path);
}
