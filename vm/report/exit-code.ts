// SPDX-License-Identifier: MIT
import { EXIT, type ExitCode } from '../../lib/errors.js';
import type { Verdict } from '../crosscheck/types.js';
import type { GuestOutcome } from '../types.js';

/** What a run comes to, and of which device, if one of them leads. */
export interface ExitDecision {
  readonly exitCode: ExitCode;
  /** interrupted, access, guest, test, saw, invalid: the rows below; none: it passed. */
  readonly lead: 'interrupted' | 'access' | 'guest' | 'test' | 'saw' | 'invalid' | 'none';
  /** Place in the list of verdicts; undefined where no device leads. */
  readonly at?: number | undefined;
}

type Judged = Pick<Verdict, 'result' | 'divergence'>;

/**
 * Whose fault a run's end is; the first row that applies:
 *
 *   130  interrupted   nothing can be said
 *     3  access        a device did something else than its model, and the guest had not crashed before: that explains
 *                      a failed test, and may explain a crash
 *     4  guest         the guest or QEMU crashed, hung, never spoke, printed without an end or ended early
 *     1  test          a test of the guest's failed
 *     3  access        a device departed from its model after a crash that did not end the run
 *     3  saw           all passed, but what the guest printed is not what the model says
 *     3  invalid       all passed, but the evidence is not fit for a verdict
 *     0  none          passed, or left by its user
 *
 * What the guest printed may be wrong because of the driver, so it leads only where nothing else explains it.
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
      // Only a verdict is a reason to stop; without it, no test has been seen to its end.
      return rest() ?? { exitCode: EXIT.guest, lead: 'guest' };
    case 'passed':
    case 'ended':
      return rest() ?? { exitCode: EXIT.passed, lead: 'none' };
    default:
      return outcome satisfies never;
  }
}

/** Of a run: see `decide`. */
export function exitCodeOf(outcome: GuestOutcome, verdicts: readonly Judged[]): ExitCode {
  return decide(outcome, verdicts).exitCode;
}
