// SPDX-License-Identifier: MIT
/** What has been applied to a tree, and the journal of a change that is under way. Each is one file, so each is whole or absent. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { explainFsError, isMissing } from './fs-errors.js';
import type { FileState } from './archive/scratch.js';

const storedFile = z.strictObject({ base64: z.string(), mode: z.int() }).nullable();
type StoredFile = z.infer<typeof storedFile>;

const stateSchema = z.strictObject({
  /** Which change made this state. */
  id: z.string(),
  /** As they were applied, in order. */
  patches: z.array(z.strictObject({ name: z.string(), text: z.string() })),
  /** Every file that they touch: without them, and as we left it. */
  files: z.array(z.strictObject({ path: z.string(), before: storedFile, after: storedFile })),
});
const journalSchema = z.strictObject({
  /** The state that the change will make; once it is there, the change is complete. */
  id: z.string(),
  files: z.array(z.strictObject({ path: z.string(), from: storedFile, to: storedFile })),
});

export interface AppliedPatch {
  readonly name: string;
  readonly text: string;
}
export interface PatchState {
  readonly id: string;
  readonly patches: readonly AppliedPatch[];
  readonly files: readonly { readonly path: string; readonly before: FileState; readonly after: FileState }[];
}
export interface Journal {
  readonly id: string;
  readonly files: readonly { readonly path: string; readonly from: FileState; readonly to: FileState }[];
}

/** The applied set; empty when nothing has been applied. */
export async function readPatchState(stateDir: string): Promise<PatchState> {
  const value = await readJson(join(stateDir, 'applied.json'), stateSchema);
  if (value === undefined) return { id: '', patches: [], files: [] };
  const files = value.files.map((file) => ({
    path: file.path,
    before: load(file.before),
    after: load(file.after),
  }));
  return { ...value, files };
}

export async function writePatchState(stateDir: string, state: PatchState): Promise<void> {
  const files = state.files.map((file) => ({
    path: file.path,
    before: store(file.before),
    after: store(file.after),
  }));
  await writeFileAtomic(join(stateDir, 'applied.json'), JSON.stringify({ ...state, files }));
}

export async function readJournal(stateDir: string): Promise<Journal | undefined> {
  const value = await readJson(join(stateDir, 'journal.json'), journalSchema);
  if (value === undefined) return undefined;
  const files = value.files.map((file) => ({ path: file.path, from: load(file.from), to: load(file.to) }));
  return { id: value.id, files };
}

export async function writeJournal(stateDir: string, journal: Journal): Promise<void> {
  const files = journal.files.map((file) => ({
    path: file.path,
    from: store(file.from),
    to: store(file.to),
  }));
  await writeFileAtomic(join(stateDir, 'journal.json'), JSON.stringify({ id: journal.id, files }));
}

export async function removeJournal(stateDir: string): Promise<void> {
  await rm(join(stateDir, 'journal.json'), { force: true });
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainFsError(error, 'read what has been patched', path);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new StopwatchError('patch-failed', `${path} is damaged: it no longer says what has been patched`, {
      hint: `Remove the tree that it belongs to and ${path}, and run the same command again.`,
      cause: error,
    });
  }
}

function store(state: FileState): StoredFile {
  return state === null ? null : { base64: state.content.toString('base64'), mode: state.mode };
}

function load(stored: StoredFile): FileState {
  return stored === null ? null : { content: Buffer.from(stored.base64, 'base64'), mode: stored.mode };
}
