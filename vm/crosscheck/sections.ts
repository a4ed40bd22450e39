// SPDX-License-Identifier: MIT
/**
 * What init (guest_fs/base/init.sh) prints around the test of each device: between the two lines the console is that test's.
 *
 *   stopwatch: test: ID
 *   stopwatch: result: ID pass|fail|error
 */
import { PRODUCT } from '../../lib/product.js';

export type SectionMark =
  | { readonly kind: 'test'; readonly id: string }
  | { readonly kind: 'result'; readonly id: string; readonly result: 'pass' | 'fail' | 'error' };

/** What both lines begin with. */
export const MARK = `${PRODUCT}: `;
const TEST = /^test: (\S+)$/;
const RESULT = /^result: (\S+) (pass|fail|error)$/;

/** The mark on a line of the console, as a ConsoleObserver gives it. */
export function sectionMark(line: string): SectionMark | undefined {
  if (!line.startsWith(MARK)) return undefined;
  const text = line.slice(MARK.length).trimEnd();
  const id = TEST.exec(text)?.[1];
  if (id !== undefined) return { kind: 'test', id };
  const [, of, result] = RESULT.exec(text) ?? [];
  if (of === undefined || (result !== 'pass' && result !== 'fail' && result !== 'error')) return undefined;
  return { kind: 'result', id: of, result };
}
