// SPDX-License-Identifier: MIT
/** Decides the outcome of a boot from the observed facts. Pure. */
import type { Finding } from './console/console.js';
import {
  type BootOptions,
  type GuestOutcome,
  powersOffWhenDone,
  type KtapTest,
  type TestSuite,
} from './types.js';

/** The cause of the machine's end. */
export type Ending =
  | { readonly by: 'itself' }
  | { readonly by: 'first-output' | 'silence' | 'total'; readonly seconds: number }
  | { readonly by: 'interrupt' }
  /** No test result followed a fatal splat for this long. */
  | { readonly by: 'splat'; readonly seconds: number; readonly text: string }
  | { readonly by: 'size'; readonly what: 'console' | 'events'; readonly bytes: number }
  | { readonly by: 'stop' | 'user' | 'stuck'; readonly reason: string };

export interface BootFacts {
  readonly guest: BootOptions['guest'];
  /** Suite names of the tests that must run. */
  readonly expected: readonly string[];
  readonly suites: readonly TestSuite[];
  /** In order of appearance. */
  readonly findings: readonly Finding[];
  /** Whether a splat fails a run whose tests passed. */
  readonly splats: BootOptions['vm']['splats'];
  /** Whether the guest printed anything on the console. */
  readonly printedAnything: boolean;
  /** The last line on the console; empty if there was none. */
  readonly lastLine: string;
  readonly ending: Ending;
  /** `reason` of QMP's SHUTDOWN event (qapi/run-state.json, ShutdownCause), if there was one. */
  readonly shutdown: string | undefined;
  /** QEMU's own messages, oldest first. */
  readonly qemuMessages: readonly string[];
  readonly exit: { readonly code: number | undefined; readonly signal: string | undefined };
}

export interface BootOutcome {
  readonly outcome: GuestOutcome;
  /** One sentence. */
  readonly reason: string;
}

/**
 * The first rule that applies decides: interrupted; the kernel panicked, no
 * matter what ended the machine; QEMU died; the caller or the user stopped it;
 * the guest was silent, hung or flooded the console. Only a clean end is judged
 * by its tests.
 */
export function outcomeOf(facts: BootFacts): BootOutcome {
  const { ending, exit, findings } = facts;
  if (ending.by === 'interrupt') return { outcome: 'interrupted', reason: 'interrupted' };
  const panic = findings.find((finding) => finding.kind === 'panic');
  if (panic !== undefined) return { outcome: 'panicked', reason: panicReason(panic.text, findings) };
  if (ending.by === 'itself') {
    if (exit.signal !== undefined || exit.code !== 0) {
      return { outcome: 'qemu-died', reason: deathReason(facts) };
    }
    if (facts.shutdown?.startsWith('host-') === true) {
      return { outcome: 'qemu-died', reason: `QEMU was terminated from outside (${facts.shutdown})` };
    }
  }
  switch (ending.by) {
    case 'stop':
      return { outcome: 'stopped', reason: ending.reason };
    case 'stuck':
      return { outcome: 'hung', reason: ending.reason };
    case 'user':
      return { outcome: 'ended', reason: ending.reason };
    case 'first-output':
      return {
        outcome: 'silent',
        reason: `nothing was printed on the console within ${ending.seconds} s of the start`,
      };
    case 'splat': {
      const reason = `${ending.text}; no test result in the ${ending.seconds} s after it${progress(facts, ', ')}`;
      return { outcome: 'hung', reason };
    }
    case 'size': {
      const target = ending.what === 'console' ? 'on the console' : "in the devices' trace";
      const verb = ending.what === 'console' ? 'printed' : 'caused';
      const size = `more than ${Math.round(ending.bytes / 2 ** 20)} MiB`;
      const reason = `the guest ${verb} ${size} ${target}${progress(facts, ', ')}${lastPrinted(facts)}`;
      return { outcome: 'flooded', reason };
    }
    case 'silence':
    case 'total':
      return hung(facts, ending.by, ending.seconds);
    case 'itself':
      return powersOffWhenDone(facts) ? testVerdict(facts) : userEnded(facts);
    default:
      return ending satisfies never;
  }
}

/** The panic's message, and the finding that led to it. */
function panicReason(panic: string, findings: readonly Finding[]): string {
  const cause = findings.find((finding) => finding.kind === 'init-failure' || finding.kind === 'splat');
  return cause === undefined || panic.includes(cause.text) ? panic : `${panic} (after: ${cause.text})`;
}

function deathReason({ exit, qemuMessages, shutdown }: BootFacts): string {
  if (exit.signal === undefined && exit.code === undefined) {
    return `QEMU could not be started: ${qemuMessages.at(-1) ?? 'no reason given'}`;
  }
  const how = exit.signal === undefined ? `exit code ${exit.code}` : `signal ${exit.signal}`;
  const when = shutdown === undefined ? '' : ` after its shutdown (${shutdown})`;
  const last = qemuMessages.at(-1);
  return `QEMU ended with ${how}${when}${last === undefined ? '' : `: ${last}`}`;
}

function hung(facts: BootFacts, by: 'silence' | 'total', seconds: number): BootOutcome {
  const what = by === 'silence' ? `nothing was printed for ${seconds} s` : `still running after ${seconds} s`;
  if (by === 'total' && !facts.printedAnything) {
    return { outcome: 'silent', reason: `nothing was printed on the console within ${seconds} s` };
  }
  return { outcome: 'hung', reason: `${what}${progress(facts, ', ')}${lastPrinted(facts)}` };
}

function lastPrinted({ lastLine }: BootFacts): string {
  return lastLine === '' ? '' : `; the last line was '${lastLine}'`;
}

/** The progress of the tests, prefixed with `separator`. */
function progress(facts: BootFacts, separator: string): string {
  const { expected } = facts;
  const id = expected.find((one) => suiteOf(facts, one)?.result === undefined) ?? expected.at(-1);
  if (id === undefined) return '';
  const suite = suiteOf(facts, id);
  const of = expected.length > 1 ? ` of ${id}` : '';
  if (suite === undefined) return `${separator}before the test${of} began`;
  const { tests, planned } = suite.ktap;
  const last = tests.at(-1);
  const count = `${separator}after ${tests.length} of ${planned ?? 'an unknown number of'} test results${of}`;
  return last === undefined ? count : `${count}, the last being '${last.name}'`;
}

function suiteOf({ suites }: BootFacts, id: string): TestSuite | undefined {
  return suites.find((suite) => suite.id === id);
}

function userEnded({ shutdown }: BootFacts): BootOutcome {
  return {
    outcome: 'ended',
    reason: shutdown === 'guest-reset' ? 'the guest restarted' : 'the guest powered off',
  };
}

const failed = (reason: string): BootOutcome => ({ outcome: 'failed', reason });

function testVerdict(facts: BootFacts): BootOutcome {
  const { expected, shutdown, printedAnything, findings, splats } = facts;
  const suites = expected.map((id) => ({ id, suite: suiteOf(facts, id) }));
  const how = shutdown === 'guest-reset' ? 'restarted' : 'powered off';
  if (suites.length === 0) return failed('no device of this machine has a test');
  const of = (id: string): string => (suites.length > 1 ? `${id}: ` : '');
  for (const { id, suite } of suites) {
    const bail = suite?.ktap.problems.find((problem) => problem.startsWith('the test bailed out'));
    if (bail !== undefined) return failed(`${of(id)}${bail}`);
  }
  if (suites.some(({ suite }) => suite?.result === undefined)) {
    const words = printedAnything ? '' : ' without any output';
    return { outcome: 'exited-early', reason: `the guest ${how}${words}${progress(facts, ' ')}` };
  }
  const splat = findings.find(({ kind }) => kind === 'splat' || kind === 'out-of-memory');
  if (splats === 'fail' && splat !== undefined) {
    return failed(`the kernel reported: ${splat.text}`);
  }
  const all = suites.flatMap(({ id, suite }) =>
    (suite?.ktap.tests ?? []).map((test) => ({ name: `${of(id)}${test.name}`, status: test.status, test })),
  );
  const [first, ...others] = all.filter(({ status }) => status === 'not ok');
  if (first !== undefined) {
    const script = scriptFailure(first.test);
    if (script !== undefined && others.length === 0) return failed(script);
    const more = others.length > 0 ? ` and ${others.length} more` : '';
    return failed(`'${first.name}'${more} failed`);
  }
  for (const { id, suite } of suites) {
    const problem = suite && suiteProblem(suite);
    if (problem !== undefined) return failed(`${of(id)}${problem}`);
  }
  if (shutdown === 'guest-reset') {
    return { outcome: 'exited-early', reason: 'the guest restarted instead of powering off' };
  }
  return { outcome: 'passed', reason: `${all.filter(({ status }) => status === 'ok').length} tests passed` };
}

/** The failure of a test without KTAP: its last line and its exit status. */
function scriptFailure({ comment, diagnostics }: KtapTest): string | undefined {
  if (!comment.startsWith('exit status ')) return undefined;
  const last = diagnostics.findLast((line) => line.trim() !== '');
  return `the test's script failed: ${last === undefined ? comment : `${last} (${comment})`}`;
}

/** Why a suite without failed tests has not passed, or undefined. */
function suiteProblem({ result, ktap: { tests, planned, problems } }: TestSuite): string | undefined {
  const [problem] = problems;
  if (problem !== undefined) return `the test's KTAP is invalid: ${problem}`;
  if (!tests.some(({ status }) => status === 'ok')) {
    return planned === 0 ? 'the test plan is empty' : 'every test was skipped';
  }
  return result === 'pass' ? undefined : `nothing failed, but the test's result is '${result}'`;
}
