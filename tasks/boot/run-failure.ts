// SPDX-License-Identifier: MIT
/** A run that did not pass, as an error whose first lines say what to fix. Pure; it fits on a screen of 40 lines. */
import { EXIT, type ErrorCode, StopwatchError } from '../../lib/errors.js';
import { BAIL_OUT, divergenceTable, reasonWords, summary, type Verdict } from '../../vm/crosscheck/index.js';
import { driverFunctions, type Splat } from '../../vm/console/splat.js';
import { decide } from '../../vm/report/exit-code.js';
import type { DeviceResult, RunReport } from '../../vm/report/report.js';
import type { GuestOutcome, KtapTest } from '../../vm/types.js';
import type { RunDirectory } from '../build/machine.js';

/** Lines below the headline. */
const LINES = 30;

const CODES: Readonly<Record<GuestOutcome, ErrorCode>> = {
  passed: 'test-failed',
  failed: 'test-failed',
  panicked: 'guest-panicked',
  hung: 'guest-hung',
  flooded: 'guest-flooded',
  silent: 'guest-silent',
  'exited-early': 'guest-exited-early',
  'qemu-died': 'qemu-died',
  interrupted: 'interrupted',
  stopped: 'model-differs',
  ended: 'guest-exited-early',
};

const WORDS: Readonly<Record<GuestOutcome, string>> = {
  passed: 'passed, but not the run',
  failed: 'failed its test',
  panicked: 'panicked',
  hung: 'hung',
  flooded: 'never stopped printing',
  silent: 'never spoke',
  'exited-early': 'ended before its test did',
  'qemu-died': 'lost its machine',
  interrupted: 'was interrupted',
  stopped: 'was stopped',
  ended: 'was left',
};

interface Judged {
  readonly id: string;
  readonly verdict: Verdict;
}

/** Undefined for a run that passed. */
export function failureOf({ result, host }: RunReport, run: RunDirectory): StopwatchError | undefined {
  const { guest, devices } = result;
  const judged = devices.flatMap(({ id, verdict }) => (verdict === null ? [] : { id, verdict }));
  const { exitCode, at } = decide(
    guest.outcome,
    judged.map(({ verdict }) => verdict),
  );
  if (exitCode === EXIT.passed) return undefined;
  const several = devices.length > 1;
  const prefix = (id: string): string => (several ? `${id}: ` : '');
  const leading = at === undefined ? undefined : judged[at];
  if (leading !== undefined) {
    const { id, verdict } = leading;
    const code = verdict.result === 'differ' ? 'model-differs' : 'invalid-evidence';
    return new StopwatchError(code, `${prefix(id)}${headline(verdict)}`, {
      lastLines: [...aboutVerdict(verdict), ...others(judged, leading, prefix)].slice(0, LINES + 8),
      hint: host.next,
      log: run.events,
    });
  }
  const hints = judged.flatMap(({ id, verdict }) =>
    circumstances(verdict, guest).map((line) => `${prefix(id)}${line}`),
  );
  const cause = guest.splats.find((splat) => driverFunctions(splat).length > 0) ?? guest.splats[0];
  const ofDrivers = guest.driverMessages.filter((line) =>
    devices.some((one) => line.startsWith(`${one.device} `)),
  );
  const agreed = judged.length > 0 && judged.every(({ verdict }) => verdict.result === 'agree');
  const body =
    guest.outcome === 'failed'
      ? [
          ...(agreed ? ['The device agreed with its model: look at the driver or the test.'] : []),
          ...hints,
          ...(ofDrivers.length === 0 || cause !== undefined
            ? []
            : ['The driver said:', ...ofDrivers.slice(0, 4).map(indent)]),
          ...devices.flatMap((device) => aboutTests(device, several ? (suite) => `${suite}: ` : plain)),
        ]
      : [...hints, ...(cause === undefined ? [] : aboutSplat(cause, devices))];
  const splatted =
    guest.outcome === 'failed' && cause !== undefined ? ['', ...aboutSplat(cause, devices)] : [];
  const story = guest.outcome === 'failed' ? [] : storyOf(judged, prefix);
  // The headline has said some of it.
  const isNew = (line: string): boolean => line === '' || !guest.reason.includes(line.trim());
  const explained = [...body, ...splatted].filter(isNew);
  // Init prints them when a test hangs: guest_fs/base/init.sh.
  const waiting =
    guest.outcome === 'hung' && cause === undefined ? guest.lastLines.filter((line) => WAITS.test(line)) : [];
  const shown = [...waiting, ...explained, ...story, ...others(judged, undefined, prefix)];
  const last =
    explained.length > 0 || guest.lastLines.length === 0
      ? []
      : ['', 'The end of the console:', ...guest.lastLines.slice(-10).map(indent)];
  return new StopwatchError(CODES[guest.outcome], `The guest ${WORDS[guest.outcome]}: ${guest.reason}`, {
    lastLines: [...shown, ...last, ...host.qemuMessages.slice(-5)].filter(notFirst).slice(0, LINES + 8),
    hint: host.next,
    log: run.console,
  });
}

/** Without what it rests on, which the summary has. */
function headline(verdict: Verdict): string {
  const { divergence } = verdict;
  if (divergence === undefined) return summary(verdict);
  const during = divergence.during === undefined ? '' : `, in the guest's test ${divergence.during}`;
  if (divergence.kind === 'monitor')
    return `The device reports something else than QEMU saw at seq ${divergence.seq}, ${divergence.access}${during}`;
  return divergence.kind === 'guest'
    ? `The guest printed something else than the model says (${divergence.field}: expected ${divergence.expected}, got ${divergence.actual})`
    : `The device and the model differ at seq ${divergence.seq}, ${divergence.access}${during}`;
}

function aboutVerdict(verdict: Verdict): readonly string[] {
  if (verdict.divergence !== undefined) return divergenceTable(verdict.divergence);
  return verdict.invalid.map((reason) => reasonWords(reason)).slice(1);
}

/** What the other devices' verdicts say, in a line each. */
function others(
  judged: readonly Judged[],
  leading: Judged | undefined,
  prefix: (id: string) => string,
): readonly string[] {
  return judged
    .filter((one) => one !== leading && one.verdict.result === 'differ')
    .flatMap(({ id, verdict }) => ['', `Also: ${prefix(id)}${headline(verdict)}`]);
}

const WAITS = /^process \S+ waits in \w+$/;

/** Signals of a QEMU that crashed, not of one that was ended. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL']);

/** What explains a guest that hangs or fails, and is seen at its devices. */
function circumstances(
  { circumstances: seen }: Verdict,
  { outcome, qemuExit }: RunReport['result']['guest'],
): string[] {
  if (seen === undefined) return [];
  const { unfinished, unacknowledged } = seen;
  const lines: string[] = [];
  if (unfinished !== undefined && outcome === 'qemu-died' && CRASHES.has(qemuExit.signal ?? ''))
    lines.push(`QEMU crashed in the ${named(unfinished)}: see the device's C source`);
  else if (unfinished !== undefined && (outcome === 'hung' || outcome === 'stopped'))
    lines.push(`QEMU has not returned from the ${named(unfinished)}: see the device's C source`);
  else if (unacknowledged !== undefined && outcome !== 'panicked')
    lines.push(
      `interrupt raised at seq ${unacknowledged.seq}, never acknowledged: see the driver's interrupt handler`,
    );
  return lines;
}

/** `write at seq 318 (COMMAND = 2 (PAUSE), 8 bytes)` */
function named({ seq, access }: { readonly seq: string; readonly access: string }): string {
  const [kind = '', ...rest] = access.split(' ');
  if (kind !== 'read' && kind !== 'write') return `${access} at seq ${seq}`;
  return `${kind} at seq ${seq} (${rest.join(' ')})`;
}

function storyOf(judged: readonly Judged[], prefix: (id: string) => string): readonly string[] {
  return judged.flatMap(({ id, verdict }) => {
    const story = verdict.circumstances?.story ?? [];
    const last = story.filter((line) => /\bseq \d/.test(line)).slice(-8);
    return last.length === 0 ? [] : ['', `${prefix(id)}The last events of the device:`, ...last.map(indent)];
  });
}

/** The driver's functions first. */
function aboutSplat(
  { text, lines, trace, test, sources = {} }: Splat,
  devices: readonly DeviceResult[],
): readonly string[] {
  const driver = driverFunctions({ trace });
  const rest = trace.filter((entry) => !driver.includes(entry));
  const details = lines
    .map((line) => line.trim())
    .filter((line) => /^(?:Internal error: |FSC = \S+ alignment fault$)/.test(line));
  return [
    ...(test === undefined ? [] : [`In the guest's test ${testName(test, devices)}`]),
    text,
    ...details.filter((line) => line !== text),
    ...(driver.length === 0
      ? []
      : ['In the driver:', ...driver.slice(0, 6).flatMap((entry) => placed(entry, sources[entry]))]),
    ...(rest.length === 0 ? [] : ['Call trace:', ...rest.slice(0, driver.length === 0 ? 10 : 6).map(indent)]),
  ];
}

function placed(entry: string, source: string | undefined): readonly string[] {
  return source === undefined ? [indent(entry)] : [indent(source), `      ${entry}`];
}

/** The name came later, or never: the test's result is printed after it. */
function testName({ id, results }: NonNullable<Splat['test']>, devices: readonly DeviceResult[]): string {
  const tests = devices.flatMap((device) => device.tests).find(({ suite }) => suite === id)?.tests ?? [];
  const of = devices.length > 1 ? ` of ${id}` : '';
  const name = tests[results]?.name;
  if (name !== undefined) return `'${name}'${of}`;
  const before = tests[results - 1]?.name;
  return before === undefined ? `${of}, before its first result`.trimStart() : `after '${before}'${of}`;
}

/** What the failed tests printed, and what the device did and refused in them. */
function aboutTests({ tests, verdict }: DeviceResult, prefix: (suite: string) => string): readonly string[] {
  return tests.flatMap((test) => {
    const { suite, result, problems, lastLines } = test;
    const where = { verdict, prefix: prefix(suite) };
    const failed = test.tests.filter(({ status }) => status === 'not ok');
    if (failed.length > 0) {
      const shown = failed
        .slice(0, 3)
        .map((one) => aboutOne(one, { ...where, each: failed.length > 1 ? 4 : 8 }));
      return [...shown.flat(), ...(failed.length > 3 ? [`… and ${failed.length - 3} more`] : [])];
    }
    const bailed = { name: BAIL_OUT, status: 'not ok', comment: '', diagnostics: problems } as const;
    if (result === 'pass' && problems.length === 0) return [];
    // Not the end of the console: further tests may have run after this one.
    const end = [`The last lines of the test ${suite}:`, ...lastLines.slice(-10).map(indent)];
    return [...aboutOne(bailed, { ...where, each: 8 }), ...(lastLines.length === 0 ? [] : end)];
  });
}

function aboutOne(
  one: KtapTest,
  {
    verdict,
    prefix,
    each,
  }: { readonly verdict: Verdict | null; readonly prefix: string; readonly each: number },
): readonly string[] {
  const seen = verdict?.circumstances?.failedTests.find(({ name }) => name === one.name);
  const story = (seen?.story ?? []).slice(-each).map((line) => `    ${line}`);
  return [
    ...diagnosed(one, prefix, 8),
    ...withoutRepeats(seen?.refused ?? []).map(indent),
    ...(story.length === 0 ? [] : ['  The device, up to that result:', ...story]),
  ];
}

function diagnosed({ name, diagnostics }: KtapTest, prefix: string, most: number): readonly string[] {
  const said = diagnostics.filter((line) => !/^(?:observe|caused|limited)\b/.test(line));
  const title = name === BAIL_OUT ? [] : [`not ok ${prefix}${name}`];
  return [...title, ...withoutRepeats(said).slice(-most).map(indent)];
}

/** Merges lines that differ only in their sequence number, and adds a count. */
function withoutRepeats(lines: readonly string[]): readonly string[] {
  const counts = new Map<string, { readonly first: string; count: number }>();
  for (const line of lines) {
    const key = line.replace(/^seq \d+: /, '');
    const { first = line, count = 0 } = counts.get(key) ?? {};
    counts.set(key, { first, count: count + 1 });
  }
  return [...counts.values()].map(({ first, count }) => (count === 1 ? first : `${first} (${count} times)`));
}

/** Of the only device: its own test needs no name. */
const plain = (suite: string): string => (suite.includes('/') ? `${suite}: ` : '');
/** No empty line at the top. */
const notFirst = (line: string, index: number): boolean => line !== '' || index > 0;
const indent = (line: string): string => `  ${line}`;
