// SPDX-License-Identifier: MIT
/** The record of the archive that a tree was made from. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { mirrorSchema } from '../config/schema.js';

const stampSchema = z.object({ file: z.string(), sha256: z.string(), mirror: mirrorSchema });
type SourceStamp = z.infer<typeof stampSchema>;

/** Undefined if it is missing or damaged: then the archive is looked for again. */
export async function readStamp(path: string): Promise<SourceStamp | undefined> {
  try {
    return stampSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
