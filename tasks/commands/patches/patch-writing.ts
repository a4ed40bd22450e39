// SPDX-License-Identifier: MIT
/** Patch files are written all together: killed in between, the rest is written before anything else happens to them. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StopwatchError } from '../../../lib/errors.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { isMissing } from '../../trees/fs-errors.js';
import type { NamedPatch, PatchUpdate } from '../../trees/update-patches.js';

const text = z.string().nullable();
const journalSchema = z.strictObject({
  files: z.array(z.strictObject({ name: z.string(), from: text, to: text })),
});
type Journal = z.infer<typeof journalSchema>;

const journalOf = (stateDir: string): string => join(stateDir, 'update.json');

/** Writes new and changed patches to `directory` and removes those that are to go. */
export async function writeUpdates(
  directory: string,
  stateDir: string,
  patches: readonly NamedPatch[],
  updates: readonly PatchUpdate[],
): Promise<void> {
  const files = updates.map(({ name, text: to }) => ({
    name,
    from: patches.find((patch) => patch.name === name)?.text ?? null,
    to: to ?? null,
  }));
  const journal: Journal = { files };
  await writeFileAtomic(journalOf(stateDir), JSON.stringify(journal));
  await finishWriting(directory, stateDir);
}

/** Ends what a run that was killed had begun to write. Throws 'patch-failed' where a patch has been edited since. */
export async function finishWriting(directory: string, stateDir: string): Promise<void> {
  const journal = await readText(journalOf(stateDir));
  if (journal === null) return;
  const { files } = journalSchema.parse(JSON.parse(journal));
  for (const { name, from, to } of files) {
    const now = await readText(join(directory, name));
    if (now === from || now === to) continue;
    throw new StopwatchError(
      'patch-failed',
      `${join(directory, name)} was edited after an earlier update_patches had been killed while writing it`,
      { hint: `Undo that edit, or remove ${journalOf(stateDir)}, and run the same command again.` },
    );
  }
  for (const { name, to } of files) {
    const file = join(directory, name);
    if (to === null) await rm(file, { force: true });
    else await writeFileAtomic(file, to);
  }
  await rm(journalOf(stateDir), { force: true });
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
