// SPDX-License-Identifier: MIT
/**
 * Parses the marks that init (guest_fs/base/init.sh) prints before and after each test:
 *
 *   stopwatch: test: ID[/NAME]
 *   stopwatch: result: ID[/NAME] pass|fail|skip|error [EXIT STATUS]
 *
 * and `stopwatch: exit: STATUS` when its shell exits with a status other than 0.
 */
import { PRODUCT } from '../../lib/product.js';

/** For exit statuses 0, 1, 4 (as in kselftest), and all others. */
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

/** Prefix of both lines. */
export const MARK = `${PRODUCT}: `;
const TEST = /^test: (\S+)$/;
const RESULT = /^result: (\S+) (pass|fail|skip|error)(?: (\d+))?$/;

/** The mark on a console line from ConsoleObserver. */
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

/** Exit status of the guest's shell, if this line reports it. */
export function shellStatus(line: string): number | undefined {
  const [, status] = /^exit: (\d{1,3})\s*$/.exec(line.startsWith(MARK) ? line.slice(MARK.length) : '') ?? [];
  return status === undefined ? undefined : Number(status);
}

/** The device's id in a suite's name. */
export function instanceOf(suite: string): string {
  const slash = suite.indexOf('/');
  return slash < 0 ? suite : suite.slice(0, slash);
}
