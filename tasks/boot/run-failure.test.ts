// SPDX-License-Identifier: MIT
/**
 * Runs that were recorded with faults put into the stopwatch's driver, its device and its test: whose fault they are said to
 * be. test/fixtures/faults has what they printed and traced; test/e2e/driver-faults.test.ts makes the faults anew.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { device } from '../../device/stopwatch/device.js';
import { aBoot, circumstances } from '../../test/support/report.js';
import { anInstance } from '../../test/support/machine.js';
import { ConsoleObserver } from '../../vm/console/observer.js';
import { isFatal } from '../../vm/console/splat.js';
import { MachineCrosscheck } from '../../vm/crosscheck/index.js';
import { type Ending, outcomeOf } from '../../vm/outcome.js';
import { deviceResults, makeReport } from '../../vm/report/report.js';
import { runFiles } from '../build/machine.js';
import { nextCommand } from './next-command.js';
import { failureOf } from './run-failure.js';

const instance = { ...anInstance(), device };
const run = runFiles('/run', '1');

function recorded(name: string, file: 'console' | 'events'): Buffer {
  return gunzipSync(readFileSync(new URL(`../../test/fixtures/faults/${name}.${file}.gz`, import.meta.url)));
}

/** What the run is reported as. */
function failureIn(name: string, ending: Ending, signal?: 'SIGKILL' | 'SIGSEGV') {
  const checker = device.checker?.({ slackNs: 0, properties: { start_at_boot: true } });
  if (checker === undefined) throw new Error('no checker');
  const monitor = { accesses: { base: 201392128n }, interrupt: 144 };
  const options = { guest: true, atLeast: { commands: 20 }, monitor, coverage: true };
  const crosscheck = new MachineCrosscheck([{ id: 'stopwatch', checker, options }], isFatal);
  const qemuExit = { code: signal === undefined ? 0 : undefined, signal };
  const findings: ConsoleObserver['findings'] = [];
  const observer = new ConsoleObserver(
    () => 0,
    (line) => crosscheck.consoleLine(line),
  );
  observer.push(recorded(name, 'console'));
  findings.push(...observer.findings);
  const { suites, lastLines, splats } = observer.end();
  crosscheck.feed(recorded(name, 'events'));
  const verdicts = crosscheck.end();
  const expected = ['stopwatch'];
  const outcome = outcomeOf({
    guest: 'test_and_quit',
    expected,
    suites,
    findings,
    splats: 'warn',
    printedAnything: true,
    lastLine: lastLines.findLast((line) => line.trim() !== '') ?? '',
    ending,
    shutdown: ending.by === 'itself' ? 'guest-shutdown' : 'host-qmp-quit',
    qemuMessages: [],
    exit: qemuExit,
  });
  const unresponsive = signal === 'SIGKILL';
  const boot = aBoot({ ...outcome, suites, lastLines, splats, unresponsive, qemuExit });
  const next = nextCommand(false, [], 'plain')({ boot, verdicts, run });
  const devices = deviceResults([instance], { expected, suites, verdicts });
  const report = makeReport(boot, devices, { ...circumstances, next });
  return { report, verdict: verdicts[0]?.verdict, error: failureOf(report, run) };
}

const itself: Ending = { by: 'itself' };
const silence: Ending = { by: 'silence', seconds: 6 };

describe("a driver's fault", () => {
  it('in the interrupt handler is a crash, with its functions first', () => {
    const { report, verdict, error } = failureIn('null', itself);
    expect(report.result.exitCode).toBe(4);
    expect(verdict?.divergence).toBeUndefined();
    expect(verdict?.partial).toBe(true);
    expect(error?.message).toMatch(/^The guest panicked: .*Unable to handle kernel NULL pointer dereference/);
    expect(error?.lastLines.slice(0, 6)).toEqual([
      "In the guest's test after 'busy'",
      'Internal error: Oops: 0000000096000006 [#1] SMP',
      'In the driver:',
      '  stopwatch_interrupt+0x10/0xec [stopwatch]',
      'Call trace:',
      '  __handle_irq_event_percpu+0x44/0x130',
    ]);
    expect(error?.lastLines.join('\n')).toMatch(
      /expiry of the timeout → interrupt raised; RUNNING, timeout fired/,
    );
    expect(error?.hint).toBe('npx stopwatch run --gdb');
  });

  it('that leaves an interrupt is a hang, and the interrupt is named', () => {
    const { report, error } = failureIn('noack', silence);
    expect(report.result.exitCode).toBe(4);
    expect(error?.lastLines[0]).toBe(
      "interrupt raised at seq 581, never acknowledged: see the driver's interrupt handler",
    );
  });

  it('that makes a refused access fails the test, and the access is named', () => {
    const { report, error } = failureIn('readl', itself);
    expect(report.result.exitCode).toBe(1);
    expect(error?.lastLines.slice(0, 5)).toContainEqual(
      expect.stringMatching(
        /^ {2}seq 282: read offset 0xc, 2 bytes: refused \(BAD_ACCESS\)(?: \(\d+ times\))?$/,
      ),
    );
  });

  it('that makes a refused access ends the test, and the access is named', () => {
    const { report, error } = failureIn('readq', itself);
    expect(report.result.exitCode).toBe(1);
    expect(error?.message).toMatch(/the test bailed out: the driver has found no stopwatch$/);
    expect(error?.lastLines[0]).toMatch(
      /^ {2}seq \d+: read offset 0xc, 2 bytes: refused \(BAD_ACCESS\) \(2 times\)$/,
    );
  });
});

describe("a device's fault", () => {
  it('that never ends is a hang, and its access is named', () => {
    const { report, error } = failureIn('pauseloop', silence, 'SIGKILL');
    expect(report.result.exitCode).toBe(4);
    expect(error?.lastLines[0]).toBe(
      "QEMU has not returned from the write at seq 308 (COMMAND = 2 (PAUSE), 8 bytes): see the device's C source",
    );
    expect(error?.hint).toBe('npx stopwatch run --gdb-qemu');
  });
});

it('a device that crashes QEMU: the access is named', () => {
  const { report, error } = failureIn('pauseloop', itself, 'SIGSEGV');
  expect(report.result.exitCode).toBe(4);
  expect(error?.message).toMatch(/^The guest lost its machine: QEMU ended with signal SIGSEGV/);
  expect(error?.lastLines[0]).toBe(
    "QEMU crashed in the write at seq 308 (COMMAND = 2 (PAUSE), 8 bytes): see the device's C source",
  );
});

describe("a fault of the guest's test", () => {
  it('before its KTAP is its script, with what the shell said', () => {
    const { report, error } = failureIn('exit', itself);
    expect(report.result.exitCode).toBe(1);
    expect(error?.message).toMatch(/the test's script failed: .*testing\.shx': No such file or directory/);
  });

  it('in its KTAP is named', () => {
    const { report, error } = failureIn('ktaphead', itself);
    expect(report.result.exitCode).toBe(1);
    expect(error?.message).toMatch(/the KTAP version line is not alone on its line: 'hello KTAP version 1'$/);
    expect(error?.lastLines[0]).toBe('The device agreed with its model: look at the driver or the test.');
  });
});

it('a process that waits for a lock is run again on the kernel that knows who has it', () => {
  const trace = ['mutex_lock+0x30/0x38', 'stopwatch_ioctl+0xbc/0x398 [stopwatch]'];
  const text = 'The process stopwatch_dev_t waits in the kernel, and is not woken';
  const splats = [{ text, trace, lines: [], test: undefined }];
  const next = (variant: 'plain' | 'debug') =>
    nextCommand(false, [], variant)({ boot: { outcome: 'hung', splats }, verdicts: [], run });
  expect(next('plain')).toBe('npx stopwatch run-test-quit --variant debug');
  expect(next('debug')).toBe('npx stopwatch run --gdb');
});

it.each([
  ['null', itself],
  ['noack', silence],
  ['readl', itself],
  ['readq', itself],
  ['pauseloop', silence],
] as const)('%s fits on a screen, and says each thing once', (name, ending) => {
  const { error } = failureIn(name, ending);
  const lines = error?.lastLines.filter((line) => line !== '') ?? [];
  expect(lines.length).toBeLessThanOrEqual(36);
  expect(lines.filter((line) => error?.message.includes(line.trim()))).toEqual([]);
});
