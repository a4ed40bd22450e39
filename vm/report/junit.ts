// SPDX-License-Identifier: MIT
/** A run as JUnit XML, in the form that CI systems read: the machine, the guest's tests, the cross-check. */
import { formatVerdict, reasonWords, summary } from '../crosscheck/format.js';
import type { RunReport } from './report.js';

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
  const suites = [
    suite('machine', [machineCase(report)]),
    suite('guest', guestCases(report)),
    suite('cross-check', [crosscheckCase(report)]),
  ];
  const time = seconds(report.host.durationMs);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="stopwatch ${attribute(report.host.runId)}" time="${time}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function machineCase({ result, host }: RunReport): Case {
  const { outcome, reason, lastLines, accelerator, clock } = result.guest;
  const name = `boots, runs and ends (${accelerator}, ${clock})`;
  const time = host.timing.endMs / 1000;
  // A test that failed, a run that was judged and stopped: the machine did its part.
  const fine = ['passed', 'failed', 'ended', 'stopped'].includes(outcome);
  return fine
    ? { name, seconds: time, result: PASSED }
    : {
        name,
        seconds: time,
        result: {
          kind: 'error',
          message: `${outcome}: ${reason}`,
          details: [...lastLines, ...host.qemuMessages].join('\n'),
        },
      };
}

function guestCases({ result }: RunReport): Case[] {
  const { ktap, outcome, reason } = result.guest;
  const cases = ktap.tests.map((test): Case => {
    const details = test.diagnostics.join('\n');
    if (test.status === 'skip')
      return { name: test.name, result: { kind: 'skipped', message: test.comment } };
    if (test.status === 'ok') return { name: test.name, result: PASSED };
    return { name: test.name, result: { kind: 'failure', message: test.comment || 'not ok', details } };
  });
  // The document itself: a plan that is not met is no test's failure.
  const told = ktap.problems.join('\n');
  if (outcome === 'failed' && told !== '') {
    cases.push({ name: 'KTAP document', result: { kind: 'failure', message: reason, details: told } });
  }
  return cases;
}

function crosscheckCase({ result: { verdict } }: RunReport): Case {
  const name = 'the device agrees with the reference model';
  if (verdict === null) return { name, result: { kind: 'skipped', message: 'this run was not judged' } };
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

function suite(name: string, cases: readonly Case[]): string {
  const count = (kind: Case['result']['kind']): number =>
    cases.filter(({ result }) => result.kind === kind).length;
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  const body = cases.map((each) => testcase(name, each)).join('');
  return `  <testsuite name="${attribute(name)}" ${counts}>\n${body}  </testsuite>`;
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

/** XML 1.0 has no way to write these, not even as references. */
const NOT_XML =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
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
