// SPDX-License-Identifier: MIT
/** The mark of a directory that this tool made: only what is in such a directory may be removed without knowing it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT } from '../product.js';

const MARK = `.made-by-${PRODUCT}`;
/** Records of finished tasks. */
const RECORDS = join('state', 'tasks');

/** Whether the directory is there and was made by this tool. */
export function isMarked(directory: string): boolean {
  return existsSync(join(directory, MARK)) || existsSync(join(directory, RECORDS));
}

/** Makes the directory if it is not there, and marks it. */
export function markDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const mark = join(directory, MARK);
  if (!existsSync(mark)) writeFileSync(mark, `Everything here can be made again by ${PRODUCT}.\n`);
}
