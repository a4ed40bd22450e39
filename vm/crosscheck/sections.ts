// SPDX-License-Identifier: MIT
/**
 * What init (guest_fs/base/init.sh) prints around each test: between the two lines the console is that test's.
 *
 *   stopwatch: test: ID[/NAME]
 *   stopwatch: result: ID[/NAME] pass|fail|skip|error [EXIT STATUS]
 *
 * and `stopwatch: exit: STATUS` when its shell ends with another status than 0.
 */
import { PRODUCT } from '../../lib/product.js';

/** Exit statuses 0, 1, 4 (as in kselftest), and all others. */
export type TestStatus = 'pass' | 'fail' | 'skip' | 'error';

export type SectionMark =
  | { readonly kind: 'test'; readonly id: string }
  | {
      readonly kind: 'result';
      readonly id: string;
      readonly result: TestStatus;
      /** Exit status of the test. */
      readonly status: number | undefined;
    };

/** What both lines begin with. */
export const MARK = `${PRODUCT}: `;
const TEST = /^test: (\S+)$/;
const RESULT = /^result: (\S+) (pass|fail|skip|error)(?: (\d+))?$/;

/** The mark on a line of the console, as a ConsoleObserver gives it. */
export function sectionMark(line: string): SectionMark | undefined {
  if (!line.startsWith(MARK)) return undefined;
  const text = line.slice(MARK.length).trimEnd();
  const id = TEST.exec(text)?.[1];
  if (id !== undefined) return { kind: 'test', id };
  const [, of, result, status] = RESULT.exec(text) ?? [];
  if (of === undefined || !isStatus(result)) return undefined;
  return { kind: 'result', id: of, result, status: status === undefined ? undefined : Number(status) };
}

function isStatus(text: string | undefined): text is TestStatus {
  return text === 'pass' || text === 'fail' || text === 'skip' || text === 'error';
}

/** Exit status of the guest's shell, if this line says it. */
export function shellStatus(line: string): number | undefined {
  const [, status] = /^exit: (\d{1,3})\s*$/.exec(line.startsWith(MARK) ? line.slice(MARK.length) : '') ?? [];
  return status === undefined ? undefined : Number(status);
}

/** The device's id in the name of a suite. */
export function instanceOf(suite: string): string {
  const slash = suite.indexOf('/');
  return slash < 0 ? suite : suite.slice(0, slash);
}
