// SPDX-License-Identifier: MIT
/** Marks the directories that Stopwatch made: it removes unknown files only there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT } from '../product.js';

const MARK = `.made-by-${PRODUCT}`;
/** Records of finished tasks. */
const RECORDS = join('state', 'tasks');

/** True if the directory exists and Stopwatch made it. */
export function isMarked(directory: string): boolean {
  return existsSync(join(directory, MARK)) || existsSync(join(directory, RECORDS));
}

/** Creates the directory if needed, and marks it. */
export function markDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const mark = join(directory, MARK);
  if (!existsSync(mark)) writeFileSync(mark, `Everything here can be made again by ${PRODUCT}.\n`);
}
