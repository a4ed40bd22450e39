// SPDX-License-Identifier: MIT
/** Formats a run as JUnit XML: the machine, then each device with its tests and its cross-check. */
import { formatVerdict, reasonWords, summary } from '../crosscheck/format.js';
import type { DeviceResult, RunReport, TestResult } from './report.js';

interface Case {
  readonly name: string;
  readonly seconds?: number | undefined;
  readonly result:
    | { readonly kind: 'passed' }
    | { readonly kind: 'failure' | 'error'; readonly message: string; readonly details: string }
    | { readonly kind: 'skipped'; readonly message: string };
}

const PASSED: Case['result'] = { kind: 'passed' };

export function junitXml(report: RunReport): string {
  const suites = suitesOf(report).map(({ name, cases }) => suite(name, cases, timeOf(report, name)));
  return testsuites(`stopwatch ${report.host.runId}`, suites, report.host.durationMs);
}

/** One combination of releases: its report, or why it has none. */
export interface Cell {
  readonly name: string;
  readonly report: RunReport | undefined;
  readonly error: string | undefined;
}

/** Many runs as one document, with a suite for each. */
export function matrixXml(cells: readonly Cell[]): string {
  const suites = cells.map(({ name, report, error }) => {
    const unbuilt: Case = {
      name: 'builds and boots',
      result: { kind: 'error', message: error ?? 'not run', details: '' },
    };
    const all =
      report === undefined
        ? [unbuilt]
        : suitesOf(report).flatMap((one) =>
            one.cases.map((each) => ({ ...each, name: `${one.name}: ${each.name}` })),
          );
    return suite(name, all, (report?.host.durationMs ?? 0) / 1000);
  });
  const total = cells.reduce((sum, { report }) => sum + (report?.host.durationMs ?? 0), 0);
  return testsuites('stopwatch matrix', suites, total);
}

function suitesOf(report: RunReport): Suite[] {
  const { outcome, reason } = report.result.guest;
  const devices = report.result.devices.flatMap((device) => deviceSuites(device, outcome === 'failed'));
  const explained = devices.some(({ cases }) => cases.some(({ result }) => result.kind === 'failure'));
  const machine = machineCase(report);
  // A splat, for example, belongs to no device.
  const unexplained: Case['result'] = { kind: 'failure', message: reason, details: '' };
  const first = outcome === 'failed' && !explained ? { ...machine, result: unexplained } : machine;
  return [{ name: 'machine', cases: [first] }, ...devices];
}

function testsuites(name: string, suites: readonly string[], durationMs: number): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${attribute(name)}" time="${seconds(durationMs)}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function machineCase({ result, host }: RunReport): Case {
  const { outcome, reason, lastLines, splats, accelerator, clock } = result.guest;
  const name = `boots, runs and ends (${accelerator}, ${clock})`;
  const time = host.timing.endMs / 1000;
  // The machine itself is fine if a test failed or a divergence stopped the run.
  const fine = ['passed', 'failed', 'ended', 'stopped'].includes(outcome);
  return fine
    ? { name, seconds: time, result: PASSED }
    : {
        name,
        seconds: time,
        result: {
          kind: 'error',
          message: `${outcome}: ${reason}`,
          details: [...(splats[0]?.lines ?? []), ...lastLines, ...host.qemuMessages].join('\n'),
        },
      };
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** One suite for each test; the first one also has the cross-check. */
function deviceSuites(device: DeviceResult, isFailed: boolean): Suite[] {
  const { id, tests } = device;
  const suites = tests.map((test) => ({ name: test.suite, cases: testCases(test, isFailed) }));
  const crosscheck = crosscheckCase(device);
  if (tests.some(({ suite: name }) => name === id))
    return suites.map((one) => (one.name === id ? { ...one, cases: [...one.cases, crosscheck] } : one));
  const none: Case = { name: 'its test in the guest', result: { kind: 'skipped', message: 'no test' } };
  return [{ name: id, cases: [...(tests.length === 0 ? [none] : []), crosscheck] }, ...suites];
}

function timeOf({ host }: RunReport, name: string): number | undefined {
  const found = host.suites.find(({ suite: of }) => of === name);
  return found === undefined ? undefined : ((found.endMs ?? host.timing.endMs) - found.startMs) / 1000;
}

function testCases(test: TestResult, isFailed: boolean): Case[] {
  const cases = test.tests.map(({ name, status, comment, diagnostics }): Case => {
    if (status === 'skip') return { name, result: { kind: 'skipped', message: comment } };
    if (status === 'ok') return { name, result: PASSED };
    const details = diagnostics.join('\n');
    return { name, result: { kind: 'failure', message: comment || 'not ok', details } };
  });
  // An error in the document, such as an unmet plan, belongs to no test.
  const [problem] = test.problems;
  if (isFailed && problem !== undefined) {
    const details = [...test.problems, ...test.lastLines].join('\n');
    cases.push({ name: 'KTAP document', result: { kind: 'failure', message: problem, details } });
  }
  return cases;
}

function crosscheckCase({ checker, verdict }: DeviceResult): Case {
  const name = 'the device agrees with its reference model';
  if (verdict === null) {
    const message = checker ? 'this run was not checked' : 'no checker';
    return { name, result: { kind: 'skipped', message } };
  }
  switch (verdict.result) {
    case 'agree':
      return { name, result: PASSED };
    case 'differ':
    case 'invalid': {
      const kind = verdict.result === 'differ' ? 'failure' : 'error';
      const why = verdict.invalid.map(reasonWords).join('; ');
      const message = kind === 'failure' ? summary(verdict) : `invalid evidence: ${why}`;
      return { name, result: { kind, message, details: formatVerdict(verdict).join('\n') } };
    }
    default:
      return verdict.result satisfies never;
  }
}

function suite(name: string, cases: readonly Case[], time?: number): string {
  const count = (kind: Case['result']['kind']): number =>
    cases.filter(({ result }) => result.kind === kind).length;
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  const body = cases.map((each) => testcase(name, each)).join('');
  const timed = time === undefined ? '' : ` time="${time.toFixed(3)}"`;
  return `  <testsuite name="${attribute(name)}" ${counts}${timed}>\n${body}  </testsuite>`;
}

function testcase(className: string, { name, seconds: time, result }: Case): string {
  const timed = time === undefined ? '' : ` time="${time.toFixed(3)}"`;
  const open = `    <testcase classname="stopwatch.${attribute(className)}" name="${attribute(name)}"${timed}`;
  if (result.kind === 'passed') return `${open}/>\n`;
  const inner =
    result.kind === 'skipped'
      ? `<skipped message="${attribute(result.message)}"/>`
      : `<${result.kind} message="${attribute(result.message)}">${text(result.details)}</${result.kind}>`;
  return `${open}>\n      ${inner}\n    </testcase>\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Characters that XML 1.0 cannot represent, not even as references. */
const NOT_XML =
  // oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function text(value: string): string {
  return value
    .replace(NOT_XML, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
