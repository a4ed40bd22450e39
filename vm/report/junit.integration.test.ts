// SPDX-License-Identifier: MIT
/** Parses JUnit XML with a real XML parser: expat, through Python, which QEMU's build needs anyway. */
import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aBoot, aDevice, aReport, aTest, aVerdict, circumstances } from '../../test/support/report.js';
import { junitXml } from './junit.js';
import { makeReport } from './report.js';
import type { KtapTest } from '../types.js';

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** Parses documents; the parser rejects ill-formed XML. */
function parse(documents: readonly string[]): readonly Element[] {
  const script = [
    'import json, sys, xml.etree.ElementTree as E',
    'def tree(e): return dict(tag=e.tag, attributes=dict(e.attrib), text=e.text or "", children=[tree(c) for c in e])',
    'print(json.dumps([tree(E.fromstring(d.encode("utf-8"))) for d in json.load(sys.stdin)]))',
  ].join('\n');
  const input = JSON.stringify(documents);
  const trees: Element[] = JSON.parse(
    execFileSync('python3', ['-c', script], { input, encoding: 'utf8', maxBuffer: 1 << 28 }),
  );
  return trees;
}
/** Replaces characters that XML cannot represent. */
function kept(value: string): string {
  // oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
  const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
  return value.replace(notXml, '\ufffd');
}
function cases(root: Element | undefined): string[] {
  return (root?.children ?? []).flatMap((suite) =>
    suite.children.map(
      (each) =>
        `${suite.attributes['name']} | ${each.attributes['name']} | ${each.children[0]?.tag ?? 'passed'}`,
    ),
  );
}
const test = (name: string, status: KtapTest['status'], ...diagnostics: string[]): KtapTest => ({
  name,
  status,
  comment: status === 'skip' ? 'SKIP no device' : '',
  diagnostics,
});

describe('junitXml', () => {
  it('has the machine, and a suite for each device with its tests and its cross-check', () => {
    const failed = aTest({
      suite: 'lap',
      result: 'fail',
      planned: 3,
      tests: [test('a', 'ok'), test('b / c', 'not ok', 'expected 1 < 2', 'got "3" & 4'), test('d', 'skip')],
    });
    const report = makeReport(
      aBoot({ outcome: 'failed', reason: "'lap: b / c' failed" }),
      [
        aDevice(),
        aDevice({ id: 'lap', tests: [failed], verdict: aVerdict({ result: 'differ' }) }),
        aDevice({ id: 'rng', device: 'rngboi', tests: [] }),
        aDevice({ id: 'virtio', device: 'virtio-rng', checker: false, verdict: null }),
      ],
      circumstances,
    );
    const [root] = parse([junitXml(report)]);
    expect(root?.tag).toBe('testsuites');
    expect(cases(root)).toEqual([
      'machine | boots, runs and ends (tcg, icount) | passed',
      'stopwatch | a | passed',
      'stopwatch | the device agrees with its reference model | passed',
      'lap | a | passed',
      'lap | b / c | failure',
      'lap | d | skipped',
      'lap | the device agrees with its reference model | failure',
      'rng | its test in the guest | skipped',
      'rng | the device agrees with its reference model | passed',
      'virtio | a | passed',
      'virtio | the device agrees with its reference model | skipped',
    ]);
    const [, , lap, , virtio] = root?.children ?? [];
    expect(lap?.attributes).toEqual({ name: 'lap', tests: '4', failures: '2', errors: '0', skipped: '1' });
    expect(lap?.children[1]?.children[0]?.text).toBe('expected 1 < 2\ngot "3" & 4');
    expect(virtio?.children[1]?.children[0]?.attributes['message']).toBe('no checker');
  });

  it('has a failure of its own where no test of a device explains that the run failed', () => {
    const splat = { outcome: 'failed', reason: 'the kernel reported: WARNING: x' } as const;
    const unsound = { tests: [aTest({ problems: ['planned 2 tests, got 1'] })] };
    const documents = parse([junitXml(aReport(splat)), junitXml(aReport(splat, unsound))]);
    expect(documents.map((root) => cases(root).filter((each) => each.endsWith('failure')))).toEqual([
      ['machine | boots, runs and ends (tcg, icount) | failure'],
      ['stopwatch | KTAP document | failure'],
    ]);
  });

  it('tells a crash from a failure', () => {
    const report = aReport({
      outcome: 'panicked',
      reason: 'Kernel panic - not syncing: x',
      lastLines: ['one', 'two'],
    });
    const [root] = parse([junitXml(report)]);
    expect(cases(root)[0]).toBe('machine | boots, runs and ends (tcg, icount) | error');
    expect(root?.children[0]?.children[0]?.children[0]).toMatchObject({
      attributes: { message: 'panicked: Kernel panic - not syncing: x' },
      text: 'one\ntwo',
    });
  });

  it('has a verdict that differs as a failure, invalid evidence as an error, none as skipped', () => {
    const documents = parse([
      junitXml(aReport({}, { verdict: aVerdict({ result: 'differ' }) })),
      junitXml(
        aReport(
          {},
          {
            verdict: aVerdict({ result: 'invalid', invalid: [{ reason: 'no-end', lastSeq: '7' }] }),
          },
        ),
      ),
      junitXml(aReport({}, { verdict: null })),
    ]);
    expect(documents.map((root) => cases(root).at(-1)?.split(' | ').at(-1))).toEqual([
      'failure',
      'error',
      'skipped',
    ]);
  });

  it('is well-formed, and says the same again, whatever a guest prints', () => {
    const any = fc.string({ unit: 'binary', maxLength: 40 });
    const awkward = fc.constantFrom(
      ']]>',
      '<!--',
      '&amp;',
      '\u0000',
      '\u001b[1m',
      '\ud800',
      '\ufffe',
      '\r\n',
      '"',
      "'",
    );
    const text = fc.array(fc.oneof(any, awkward), { maxLength: 5 }).map((parts) => parts.join(''));
    const texts = fc.sample(text, 300);
    const documents = texts.map((value) =>
      junitXml(
        aReport(
          { outcome: 'failed' },
          { tests: [aTest({ result: 'fail', tests: [test(value, 'not ok', value)] })] },
        ),
      ),
    );
    const read = parse(documents).map((root) => root.children[1]?.children[0]);
    expect(read.map((element) => element?.attributes['name'])).toEqual(texts.map(kept));
    expect(read.map((element) => element?.children[0]?.text)).toEqual(texts.map(kept));
  });
});
