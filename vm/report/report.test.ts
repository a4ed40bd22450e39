// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { aBoot, aDevice, aReport, aTest, aVerdict, circumstances } from '../../test/support/report.js';
import { decide, exitCodeOf } from './exit-code.js';
import { anInstance } from '../../test/support/machine.js';
import { comparable, deviceResults, makeReport, reportJson } from './report.js';
import type { GuestOutcome } from '../types.js';

const divergence = {
  kind: 'field' as const,
  seq: '3',
  now: '5',
  access: 'write',
  field: 'state.elapsed',
  expected: '1',
  actual: '2',
  last: [],
  story: [],
  states: { before: {}, model: {} },
};
type Judged = Parameters<typeof decide>[1][number];

const access: Judged = { result: 'differ', divergence: { ...divergence, kind: 'field' } };
const late: Judged = { result: 'differ', divergence: { ...divergence, kind: 'field', afterCrash: true } };
const saw: Judged = { result: 'differ', divergence: { ...divergence, kind: 'guest' } };
const agree: Judged = { result: 'agree' };
const invalid: Judged = { result: 'invalid' };

describe('decide', () => {
  const rows: readonly (readonly [GuestOutcome, number, number, number, number, number, number])[] = [
    // outcome, then with: no verdict, agree, an access, an access after the crash, what the guest saw, invalid
    ['passed', 0, 0, 3, 3, 3, 3],
    ['ended', 0, 0, 3, 3, 3, 3],
    ['failed', 1, 1, 3, 1, 1, 1],
    ['panicked', 4, 4, 3, 4, 4, 4],
    ['hung', 4, 4, 3, 4, 4, 4],
    ['flooded', 4, 4, 3, 4, 4, 4],
    ['silent', 4, 4, 3, 4, 4, 4],
    ['exited-early', 4, 4, 3, 4, 4, 4],
    ['qemu-died', 4, 4, 3, 4, 4, 4],
    ['stopped', 4, 4, 3, 3, 3, 3],
    ['interrupted', 130, 130, 130, 130, 130, 130],
  ];
  it.each(rows)('%s', (outcome, none, ...codes) => {
    expect(exitCodeOf(outcome, [])).toBe(none);
    for (const [index, verdict] of [agree, access, late, saw, invalid].entries())
      expect(exitCodeOf(outcome, [verdict]), String(index)).toBe(codes[index]);
  });

  it.each([
    ['the access', 'failed', [invalid, saw, access], 'access', 2],
    ['the test before what the guest saw', 'failed', [saw], 'test', undefined],
    ['the crash before an access after it', 'panicked', [late], 'guest', undefined],
    ['what the guest saw before no evidence', 'passed', [invalid, saw], 'saw', 1],
    ['no evidence', 'passed', [agree, invalid], 'invalid', 1],
    ['nothing', 'passed', [agree], 'none', undefined],
  ] as const)('of several devices, leads with %s', (_name, outcome, verdicts, lead, at) => {
    expect(decide(outcome, verdicts)).toMatchObject({ lead });
    expect(decide(outcome, verdicts).at).toBe(at);
  });
});

const differing = (replay: string) =>
  aReport({}, { verdict: aVerdict({ result: 'differ', divergence: { ...divergence, replay } }) });

describe('makeReport', () => {
  it('keeps what the host did apart from what the machine did', () => {
    const report = aReport();
    expect(report.result.exitCode).toBe(0);
    expect(report.host.timing).toEqual(aBoot().timing);
    const other = makeReport(
      aBoot({
        timing: { firstOutputMs: 1, testStartMs: 2, testEndMs: 3, endMs: 4 },
        qemuMessages: ['pid 12'],
      }),
      [aDevice()],
      { ...circumstances, runId: 'another', durationMs: 99, startedAt: '2027-01-01T00:00:00.000Z' },
    );
    expect(comparable(other)).toBe(comparable(report));
    expect(reportJson(other)).not.toBe(reportJson(report));
  });

  it.each([
    ['the outcome', aReport({ outcome: 'failed' })],
    ['a line of the console', aReport({ lastLines: ['else'] })],
    ['a test', aReport({}, { tests: [aTest({ tests: [] })] })],
    ['the verdict', aReport({}, { verdict: aVerdict({ checked: 99 }) })],
    ['an id', aReport({}, { id: 'lap' })],
  ])('compares %s', (_name, report) => {
    expect(comparable(report)).not.toBe(comparable(aReport()));
  });

  it('does not compare the path in a replay command', () => {
    expect(comparable(differing('a'))).toBe(comparable(differing('b')));
  });

  it('survives JSON', () => {
    const report = aReport({}, { verdict: aVerdict({ result: 'invalid' }) });
    expect(JSON.parse(reportJson(report))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(JSON.parse(reportJson(report))).toMatchObject({ schema: 4, result: { exitCode: 3 } });
  });
});

const checker = () => {
  throw new Error('not asked for');
};

describe('deviceResults', () => {
  const own = anInstance('lap');
  const qemus = anInstance('virtio', 'virtio-rng', {
    files: { ...own.files, qemu: [], driver: undefined, tests: [], stress: undefined },
  });
  const lap = { ...own, device: { ...own.device, checker } };
  const { suites } = aBoot({
    suites: [
      {
        id: 'lap',
        result: undefined,
        ktap: { planned: 3, tests: [], problems: ['planned 3 tests, got 0'] },
        lastLines: [],
        timing: { startMs: 1, endMs: undefined },
      },
    ],
  });

  it('says of each device where it comes from, and what it has', () => {
    const verdicts = [{ id: 'lap', verdict: aVerdict() }];
    expect(deviceResults([lap, qemus], { expected: ['lap'], suites, verdicts })).toEqual([
      {
        id: 'lap',
        device: 'stopwatch',
        source: 'project',
        driver: 'project',
        checker: true,
        tests: [
          {
            suite: 'lap',
            result: null,
            planned: 3,
            tests: [],
            problems: ['planned 3 tests, got 0'],
            lastLines: [],
          },
        ],
        verdict: aVerdict(),
      },
      {
        id: 'virtio',
        device: 'virtio-rng',
        source: 'qemu',
        driver: 'linux or none',
        checker: false,
        tests: [],
        verdict: null,
      },
    ]);
  });

  it('has a test that did not begin', () => {
    const [device] = deviceResults([lap], { expected: ['lap'], suites: [], verdicts: [] });
    expect(device?.tests[0]).toMatchObject({ result: null, problems: ['the test did not begin'] });
  });
});
