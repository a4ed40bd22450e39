// SPDX-License-Identifier: MIT
import { EXIT, type ExitCode } from '../../lib/errors.js';
import type { Verdict } from '../crosscheck/types.js';
import type { GuestOutcome } from '../types.js';

/**
 * The exit code of a run; the first that applies:
 *
 *   130  interrupted: nothing can be said
 *     3  a device and its model differ: that explains a failed test, and may explain a crash
 *     4  the guest or QEMU crashed, hung, never spoke or ended early: that explains evidence that is cut off
 *     1  a test of the guest's failed: that explains evidence that is too little
 *     3  the evidence is invalid, though all looks well
 *     0  passed, or left by its user
 */
export function exitCodeOf(outcome: GuestOutcome, verdicts: readonly Pick<Verdict, 'result'>[]): ExitCode {
  const isInvalid = verdicts.some(({ result }) => result === 'invalid');
  if (outcome === 'interrupted') return EXIT.interrupted;
  if (verdicts.some(({ result }) => result === 'differ')) return EXIT.differs;
  switch (outcome) {
    case 'panicked':
    case 'hung':
    case 'silent':
    case 'exited-early':
    case 'qemu-died':
      return EXIT.guest;
    case 'failed':
      return EXIT.testFailed;
    case 'stopped':
      // Only a divergence is a reason to stop; without it, no test has been seen to its end.
      return isInvalid ? EXIT.differs : EXIT.guest;
    case 'passed':
    case 'ended':
      return isInvalid ? EXIT.differs : EXIT.passed;
    default:
      return outcome satisfies never;
  }
}
