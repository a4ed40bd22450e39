// SPDX-License-Identifier: MIT
/** The result of tests that ran in a VM which continues, by the rules of a whole run. Pure. */
import type { Finding } from '../../vm/console/console.js';
import { KtapParser } from '../../vm/console/ktap.js';
import { exitStatus, testStatus } from '../../vm/console/observer.js';
import { outcomeOf } from '../../vm/outcome.js';
import type { TestSuite } from '../../vm/types.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Config } from '../config/schema.js';
import type { Result } from '../config/services.js';
import { countTests, failedTests } from './test-run.js';

/** The test of one device. */
export interface PushedTest {
  readonly id: string;
  readonly output: readonly string[];
  /** Exit status of its program. */
  readonly status: number;
}

/** `verdict`: lines printed before. `findings`: what the kernel reported meanwhile. */
export function resultOfTests(
  tests: readonly PushedTest[],
  findings: readonly Finding[],
  { splats, verdict }: { readonly splats: Config['vm']['splats']; readonly verdict: readonly string[] },
): Result {
  const suites = tests.map(suiteOf);
  if (suites.length === 0) return { exitCode: EXIT.passed, verdict: [...verdict, 'Guest test   no test'] };
  const several = suites.length > 1;
  const all = [
    ...verdict,
    ...suites.map(({ id, ktap }) => `Guest test   ${several ? `${id}: ` : ''}${countTests([ktap])}`),
  ];
  const { outcome, reason } = outcomeOf({
    guest: 'test_and_quit',
    expected: suites.map(({ id }) => id),
    suites,
    findings,
    splats,
    printedAnything: true,
    lastLine: '',
    ending: { by: 'itself' },
    shutdown: 'guest-shutdown',
    qemuMessages: [],
    exit: { code: 0, signal: undefined },
  });
  if (outcome === 'passed') return { exitCode: EXIT.passed, verdict: all };
  const lines = suites.flatMap(({ id, ktap }) => failedTests(ktap, several ? `${id}: ` : ''));
  const unfinished = suites.find(({ result, ktap }) => result !== 'pass' || ktap.problems.length > 0);
  const error = new StopwatchError('test-failed', `The guest failed its test: ${reason}`, {
    lastLines: lines.length > 0 ? lines : (unfinished?.lastLines ?? []).slice(-15),
    hint: 'Look into it at the shell of that VM.',
  });
  return { exitCode: error.exitCode, error, verdict: all };
}

/** In a whole run, the guest's init interprets the exit status in the same way. */
function suiteOf({ id, output, status }: PushedTest): TestSuite {
  const parser = new KtapParser();
  for (const line of output) parser.line(line);
  const result = testStatus(status);
  const ktap = parser.started ? parser.end() : exitStatus({ id, result, status, lastLines: output });
  return { id, ktap, result, lastLines: output, timing: { startMs: 0, endMs: 0 } };
}
