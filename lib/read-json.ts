// SPDX-License-Identifier: MIT
/** Reads JSON files that Stopwatch wrote. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Undefined when the file is missing, damaged, or of another version. */
export function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
