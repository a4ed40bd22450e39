// SPDX-License-Identifier: MIT
/** Runs the stress test against a driver with a fault. */
import { expect } from 'vitest';
import { edit } from './edit.js';
import type { Project } from './project.js';

const DRIVER = 'driver/stopwatch/stopwatch_main.c';

/** Limits the stress test to these of its tests. */
export function only(tests: readonly string[]): { readonly env: Readonly<Record<string, string>> } {
  return { env: { STOPWATCH_VM_APPEND: `STRESS_TESTS=${tests.join('+')}` } };
}

export interface Fault {
  readonly what: string;
  /** Text of the driver, and what it is replaced by. */
  readonly edits: readonly (readonly [string, string])[];
  /** What finds it. */
  readonly tests: readonly string[];
  /** 1: the guest's test or its kernel says so; 3: the cross-check; 4: the kernel has panicked. */
  readonly codes: readonly number[];
  readonly said: RegExp;
}

export async function expectFound(
  project: Project,
  { edits, tests, codes, said }: Fault,
  more: readonly string[],
): Promise<void> {
  for (const [old, replacement] of edits) edit(project.package, DRIVER, old, replacement);
  const { code, out, err } = await project.stopwatch(['stress', '--rounds', '1', ...more], only(tests));
  expect(codes, out + err).toContain(code);
  expect(out + err).toMatch(said);
}
