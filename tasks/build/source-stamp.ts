// SPDX-License-Identifier: MIT
/** The record of the archive that a tree was made from. */
import { z } from 'zod';
import { readJson } from '../../lib/read-json.js';
import { mirrorSchema } from '../config/schema.js';

const stampSchema = z.object({ file: z.string(), sha256: z.string(), mirror: mirrorSchema });
type SourceStamp = z.infer<typeof stampSchema>;

/** Undefined if it is missing or damaged: then the archive is looked for again. */
export function readStamp(path: string): SourceStamp | undefined {
  return readJson(path, stampSchema);
}
