// SPDX-License-Identifier: MIT
/** Decides the exit code of a run. Pure. */
import { EXIT, type ExitCode } from '../../lib/errors.js';
import type { Verdict } from '../crosscheck/types.js';
import type { GuestOutcome } from '../types.js';

/** The exit code, its reason, and the device that causes it, if any. */
export interface ExitDecision {
  readonly exitCode: ExitCode;
  /** Name of the row of the table below that applies. */
  readonly lead: 'interrupted' | 'access' | 'guest' | 'test' | 'saw' | 'invalid' | 'none';
  /** Index of the device's verdict; undefined if no device is the cause. */
  readonly at?: number | undefined;
}

type Judged = Pick<Verdict, 'result' | 'divergence'>;

/**
 * Decides the exit code of a run. The first row that applies wins:
 *
 *   130  interrupted   the run was interrupted
 *     3  access        a device diverged from its model, and the guest had not crashed before: this explains a failed
 *                      test, and may explain a crash
 *     4  guest         the guest or QEMU crashed, hung, printed nothing, flooded the console or ended early
 *     1  test          a test in the guest failed
 *     3  access        a device diverged from its model after a crash that did not end the run
 *     3  saw           all tests passed, but the guest printed values that the model does not allow
 *     3  invalid       all tests passed, but the evidence is invalid
 *     0  none          passed, or ended by its user
 *
 * The driver may be the cause of a wrong value that the guest printed, so `saw` comes after the tests.
 */
export function decide(outcome: GuestOutcome, verdicts: readonly Judged[]): ExitDecision {
  if (outcome === 'interrupted') return { exitCode: EXIT.interrupted, lead: 'interrupted' };
  const lead = (
    which: ExitDecision['lead'],
    fits: (verdict: Judged) => boolean,
    exitCode: ExitCode = EXIT.differs,
  ): ExitDecision | undefined => {
    const at = verdicts.findIndex(fits);
    return at < 0 ? undefined : { exitCode, lead: which, at };
  };
  const onAccess = ({ result, divergence }: Judged): boolean =>
    result === 'differ' && divergence?.kind !== 'guest';
  const first = lead('access', (verdict) => onAccess(verdict) && verdict.divergence?.afterCrash !== true);
  if (first !== undefined) return first;
  const rest = (): ExitDecision | undefined =>
    lead('access', onAccess) ??
    lead('saw', ({ result }) => result === 'differ') ??
    lead('invalid', ({ result }) => result === 'invalid');
  switch (outcome) {
    case 'panicked':
    case 'hung':
    case 'flooded':
    case 'silent':
    case 'exited-early':
    case 'qemu-died':
      return { exitCode: EXIT.guest, lead: 'guest' };
    case 'failed':
      return { exitCode: EXIT.testFailed, lead: 'test' };
    case 'stopped':
      // Only a divergence stops a run; without one, no test has finished.
      return rest() ?? { exitCode: EXIT.guest, lead: 'guest' };
    case 'passed':
    case 'ended':
      return rest() ?? { exitCode: EXIT.passed, lead: 'none' };
    default:
      return outcome satisfies never;
  }
}

/** The exit code of a run: see `decide`. */
export function exitCodeOf(outcome: GuestOutcome, verdicts: readonly Judged[]): ExitCode {
  return decide(outcome, verdicts).exitCode;
}
