// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { anInstance } from '../../test/support/machine.js';
import { aBoot, aDevice, aTest, aVerdict, circumstances } from '../../test/support/report.js';
import { ConsoleObserver } from '../../vm/console/observer.js';
import { summary } from '../../vm/crosscheck/index.js';
import { junitXml } from '../../vm/report/junit.js';
import { deviceResults, makeReport } from '../../vm/report/report.js';
import { runFiles } from '../build/machine.js';
import { failureOf } from './run-failure.js';
import { closing } from './test-run.js';

const run = runFiles('/run', '1');
const differs = aVerdict({
  result: 'differ',
  divergence: {
    kind: 'field',
    seq: '3',
    now: '5',
    access: 'read VALUE',
    field: 'read.value',
    expected: '1',
    actual: '2',
    last: ['rngboi_read id=rng seq=3 now=5'],
    story: [],
    states: { before: {}, model: {} },
  },
});
const invalid = aVerdict({ result: 'invalid', invalid: [{ reason: 'no-end', lastSeq: '7' }] });
const agree = summary(aVerdict());

describe('what a run ends with', () => {
  it('is two lines for the only device', () => {
    const { verdict } = closing(makeReport(aBoot(), [aDevice()], circumstances));
    expect(verdict?.slice(0, 3)).toEqual([
      'Guest test   passed: 1 ok, 0 not ok, 0 skipped',
      `Cross-check  ${agree}`,
      'Machine      TCG (the host is x64, the guest aarch64), clock icount',
    ]);
  });

  it('says of each of several devices what it has and what came of it', () => {
    const devices = [
      aDevice(),
      aDevice({ id: 'rng', device: 'rngboi', tests: [] }),
      aDevice({ id: 'virtio', device: 'virtio-rng', checker: false, verdict: null }),
      aDevice({ id: 'lap', tests: [aTest({ suite: 'lap', result: null })], verdict: null }),
    ];
    const { verdict } = closing(makeReport(aBoot(), devices, circumstances));
    expect(verdict?.slice(0, 9)).toEqual([
      'Guest test   passed: 3 ok, 0 not ok, 0 skipped',
      '  stopwatch  test: 1 ok, 0 not ok, 0 skipped',
      `             cross-check: ${agree}`,
      '  rng        test: no test',
      `             cross-check: ${agree}`,
      '  virtio     test: 1 ok, 0 not ok, 0 skipped',
      '             cross-check: no checker',
      '  lap        test: not finished: 1 ok, 0 not ok, 0 skipped',
      '             cross-check: not judged',
    ]);
  });
});

/** A test that passes, and the console between init's two marks of a test. */
const whole = (name: string) => `KTAP version 1\n1..1\nok 1 ${name}\n`;
const section = (id: string, text: string, result: string) =>
  `stopwatch: test: ${id}\n${text}stopwatch: result: ${id} ${result}\n`;

describe('what a run that did not pass is reported as', () => {
  it('names the device that differs, before one without evidence', () => {
    const devices = [
      aDevice(),
      aDevice({ id: 'lap', verdict: invalid }),
      aDevice({ id: 'rng', verdict: differs }),
    ];
    const error = failureOf(makeReport(aBoot(), devices, circumstances), run);
    expect(error?.code).toBe('model-differs');
    expect(error?.message).toMatch(/^rng: The device and the model differ at seq 3, read VALUE/);
    expect(error?.lastLines).toContain('  compared  read.value');
  });

  it('shows what the failed tests printed, with the id of their device', () => {
    const failing = {
      name: 'texts',
      status: 'not ok',
      comment: '',
      diagnostics: ['expected 1', 'expected 1'],
    } as const;
    const devices = [
      aDevice(),
      aDevice({ id: 'lap', tests: [aTest({ suite: 'lap', result: 'fail', tests: [failing] })] }),
    ];
    const boot = aBoot({ outcome: 'failed', reason: "'lap: texts' failed" });
    const error = failureOf(makeReport(boot, devices, circumstances), run);
    expect(error?.message).toBe("The guest failed its test: 'lap: texts' failed");
    expect(error?.lastLines).toEqual([
      'The device agreed with its model: look at the driver or the test.',
      'not ok lap: texts',
      '  expected 1 (2 times)',
    ]);
  });

  it('says where a process of a test that hangs waits', () => {
    const lastLines = [
      '# a',
      '[    9.000000] sysrq: Show Blocked State',
      'process led_test waits in do_sys_poll',
    ];
    const boot = aBoot({ outcome: 'hung', reason: 'nothing was printed for 6 s', lastLines });
    const error = failureOf(makeReport(boot, [aDevice()], circumstances), run);
    expect(error?.lastLines[0]).toBe('process led_test waits in do_sys_poll');
  });

  it('shows the lines of the test that ended half-way, not of those that ran after it', () => {
    const observer = new ConsoleObserver(
      () => 0,
      () => {},
    );
    observer.push(
      Buffer.from(
        section('one', whole('first'), 'pass 0') +
          section('two', 'KTAP version 1\n1..2\nok 1 second\nsh: no such thing\n', 'fail 1') +
          section('two/more', whole('third'), 'pass 0'),
      ),
    );
    const { suites, lastLines } = observer.end();
    const expected = suites.map(({ id }) => id);
    expect(expected).toEqual(['one', 'two', 'two/more']);
    const reason = "two: the test's KTAP is invalid: planned 2 tests, got 1";
    const boot = aBoot({ outcome: 'failed', reason, suites, lastLines });
    const instances = [
      { ...anInstance(), id: 'one' },
      { ...anInstance(), id: 'two' },
    ];
    const devices = deviceResults(instances, { expected, suites, verdicts: [] });
    const report = makeReport(boot, devices, circumstances);
    expect(failureOf(report, run)?.lastLines).toEqual([
      'The last lines of the test two:',
      '  KTAP version 1',
      '  1..2',
      '  ok 1 second',
      '  sh: no such thing',
    ]);
    expect(junitXml(report)).toContain(
      'planned 2 tests, got 1\nKTAP version 1\n1..2\nok 1 second\nsh: no such',
    );
  });
});
