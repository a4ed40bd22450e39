// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { findingOf } from './console/console.js';
import { ConsoleObserver } from './console/observer.js';
import { type BootFacts, outcomeOf } from './outcome.js';

/** A boot that passed, from its console; what differs is given. */
function facts(lines: readonly string[], different: Partial<BootFacts> = {}): BootFacts {
  const observer = new ConsoleObserver(
    () => 0,
    () => {},
  );
  observer.push(Buffer.from(lines.map((line) => `${line}\n`).join('')));
  return {
    guest: 'test_and_quit',
    expected: ['lap'],
    suites: observer.end().suites,
    findings: lines.flatMap((line) => findingOf(line) ?? []),
    splats: 'warn',
    printedAnything: lines.length > 0,
    lastLine: lines.at(-1) ?? '',
    ending: { by: 'itself' },
    shutdown: 'guest-shutdown',
    qemuMessages: [],
    exit: { code: 0, signal: undefined },
    ...different,
  };
}
/** The console between init's marks. */
function suite(lines: readonly string[], result = 'pass', id = 'lap'): string[] {
  return [`stopwatch: test: ${id}`, 'KTAP version 1', ...lines, `stopwatch: result: ${id} ${result}`];
}
const passing = suite(['1..2', 'ok 1 a', 'ok 2 b']);
const unfinished = passing.slice(0, 4);
const PANIC = '[    0.100000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300';
const SPLAT = '[    0.100000] WARNING: possible circular locking dependency detected';

describe('outcomeOf', () => {
  it.each<[string, BootFacts, string, string]>([
    ['passes', facts(passing), 'passed', '2 tests passed'],
    ['a test failed', facts(suite(['1..2', 'ok 1 a', 'not ok 2 b'], 'fail')), 'failed', "'b' failed"],
    [
      'several failed',
      facts(suite(['1..2', 'not ok 1 a', 'not ok 2 b'], 'fail')),
      'failed',
      "'a' and 1 more failed",
    ],
    [
      'bailed out',
      facts(suite(['1..2', 'Bail out! no device'], 'fail')),
      'failed',
      'the test bailed out: no device',
    ],
    ['all skipped', facts(suite(['1..1', 'ok 1 a # SKIP'])), 'failed', 'every test was skipped'],
    ['nothing planned', facts(suite(['1..0'])), 'failed', 'the test plan is empty'],
    [
      'numbers out of order',
      facts(suite(['1..2', 'ok 2 b', 'ok 1 a'])),
      'failed',
      "the test's KTAP is invalid: 'b' has number 2 where 1 was expected",
    ],
    [
      'a plan that is not met',
      facts(suite(['1..2', 'ok 1 a'])),
      'failed',
      "the test's KTAP is invalid: planned 2 tests, got 1",
    ],
    ['no KTAP', facts(['stopwatch: test: lap', 'stopwatch: result: lap pass 0']), 'passed', '1 tests passed'],
    [
      'no KTAP, and an exit status',
      facts(['stopwatch: test: lap', 'sh: not found', 'stopwatch: result: lap error 127']),
      'failed',
      "the test's script failed: sh: not found (exit status 127)",
    ],
    [
      'no KTAP, skipped',
      facts(['stopwatch: test: lap', 'stopwatch: result: lap skip 4']),
      'failed',
      'every test was skipped',
    ],
    [
      'a KTAP version inside a line',
      facts([
        'stopwatch: test: lap',
        'hello KTAP version 1',
        '1..1',
        'ok 1 a',
        'stopwatch: result: lap pass',
      ]),
      'failed',
      "the test's KTAP is invalid: the KTAP version line is not alone on its line: 'hello KTAP version 1'",
    ],
    ['no plan', facts(suite(['ok 1 a'])), 'failed', "the test's KTAP is invalid: no plan (1..N)"],
    [
      'more results than planned',
      facts(suite(['1..1', 'ok 1 a', 'ok 2 b'])),
      'failed',
      "the test's KTAP is invalid: planned 1 tests, got 2",
    ],
    [
      'a fatal splat without further results',
      facts(unfinished, { ending: { by: 'splat', seconds: 5, text: 'BUG: bad' } }),
      'hung',
      "BUG: bad; no test result in the 5 s after it, after 1 of 2 test results, the last being 'a'",
    ],
    [
      'a guest that floods the console',
      facts(['spam'], { ending: { by: 'size', what: 'console', bytes: 2 ** 22 } }),
      'flooded',
      "the guest printed more than 4 MiB on the console, before the test began; the last line was 'spam'",
    ],
    [
      'an exit status that the results do not explain',
      facts(suite(['1..1', 'ok 1 a'], 'error')),
      'failed',
      "nothing failed, but the test's result is 'error'",
    ],
    [
      'a test without its end',
      facts(unfinished),
      'exited-early',
      "the guest powered off after 1 of 2 test results, the last being 'a'",
    ],
    ['no test', facts(['hello']), 'exited-early', 'the guest powered off before the test began'],
    [
      'no output',
      facts([]),
      'exited-early',
      'the guest powered off without any output before the test began',
    ],
    [
      'a restart',
      facts(passing, { shutdown: 'guest-reset' }),
      'exited-early',
      'the guest restarted instead of powering off',
    ],
    ['a panic', facts([PANIC], { shutdown: 'guest-reset' }), 'panicked', PANIC.slice(15)],
    ['a panic after all tests passed', facts([...passing, PANIC]), 'panicked', PANIC.slice(15)],
    [
      'a panic that led to a hang',
      facts([PANIC], { ending: { by: 'silence', seconds: 5 } }),
      'panicked',
      PANIC.slice(15),
    ],
    [
      'silence',
      facts([], { ending: { by: 'first-output', seconds: 10 } }),
      'silent',
      'nothing was printed on the console within 10 s of the start',
    ],
    [
      'a hang in the test',
      facts(unfinished, { ending: { by: 'silence', seconds: 5 } }),
      'hung',
      "nothing was printed for 5 s, after 1 of 2 test results, the last being 'a'; the last line was 'ok 1 a'",
    ],
    [
      'a hang after the test',
      facts(passing, { ending: { by: 'silence', seconds: 5 } }),
      'hung',
      "nothing was printed for 5 s, after 2 of 2 test results, the last being 'b'; the last line was 'stopwatch: result: lap pass'",
    ],
    [
      'a guest that never ends',
      facts(['x'], { ending: { by: 'total', seconds: 60 } }),
      'hung',
      "still running after 60 s, before the test began; the last line was 'x'",
    ],
    [
      'QEMU killed',
      facts(passing, { exit: { code: undefined, signal: 'SIGKILL' }, shutdown: undefined }),
      'qemu-died',
      'QEMU ended with signal SIGKILL',
    ],
    [
      'QEMU crashed while it ended',
      facts(passing, { exit: { code: undefined, signal: 'SIGABRT' }, qemuMessages: ['assertion'] }),
      'qemu-died',
      'QEMU ended with signal SIGABRT after its shutdown (guest-shutdown): assertion',
    ],
    [
      'QEMU refused its arguments',
      facts([], { exit: { code: 1, signal: undefined }, shutdown: undefined, qemuMessages: ['bad option'] }),
      'qemu-died',
      'QEMU ended with exit code 1: bad option',
    ],
    [
      'QEMU not started',
      facts([], { exit: { code: undefined, signal: undefined }, qemuMessages: ['no such program'] }),
      'qemu-died',
      'QEMU could not be started: no such program',
    ],
    [
      'QEMU ended from outside',
      facts(passing, { shutdown: 'host-signal' }),
      'qemu-died',
      'QEMU was terminated from outside (host-signal)',
    ],
    [
      'an unfinished test with splats: fail',
      facts([SPLAT, ...unfinished], { splats: 'fail' }),
      'exited-early',
      "the guest powered off after 1 of 2 test results, the last being 'a'",
    ],
    [
      'a splat in a passing test, with splats: fail',
      facts([SPLAT, ...passing], { splats: 'fail' }),
      'failed',
      `the kernel reported: ${SPLAT.slice(15)}`,
    ],
    ['a splat in a passing test', facts([SPLAT, ...passing]), 'passed', '2 tests passed'],
    ['interrupted', facts([PANIC], { ending: { by: 'interrupt' } }), 'interrupted', 'interrupted'],
    [
      'stopped by the caller',
      facts(passing.slice(0, 2), { ending: { by: 'stop', reason: 'divergence' } }),
      'stopped',
      'divergence',
    ],
    ['a shell that was left', facts(['/ #'], { guest: 'shell' }), 'ended', 'the guest powered off'],
    [
      'an init that failed to start',
      facts(['Requested init /x failed (error -2).', PANIC]),
      'panicked',
      `${PANIC.slice(15)} (after: Requested init /x failed (error -2).)`,
    ],
  ])('%s', (_name, given, outcome, reason) => {
    expect(outcomeOf(given)).toEqual({ outcome, reason });
  });
});

const rng = suite(['1..1', 'ok 1 c'], 'pass', 'rng');
const several = (lines: readonly string[], different: Partial<BootFacts> = {}): BootFacts =>
  facts(lines, { expected: ['lap', 'rng'], ...different });

describe('the tests of several devices', () => {
  it.each<[string, BootFacts, string, string]>([
    ['pass together', several([...passing, ...rng]), 'passed', '3 tests passed'],
    [
      'one fails',
      several([...passing, ...suite(['1..1', 'not ok 1 c'], 'fail', 'rng')]),
      'failed',
      "'rng: c' failed",
    ],
    [
      'one has not begun',
      several(passing),
      'exited-early',
      'the guest powered off before the test of rng began',
    ],
    [
      'one has not ended',
      several([...unfinished, ...rng]),
      'exited-early',
      "the guest powered off after 1 of 2 test results of lap, the last being 'a'",
    ],
    [
      'one hangs',
      several([...passing, ...rng.slice(0, 3)], { ending: { by: 'silence', seconds: 5 } }),
      'hung',
      "nothing was printed for 5 s, after 0 of 1 test results of rng; the last line was '1..1'",
    ],
    [
      'one bails out',
      several([...passing, ...suite(['1..1', 'Bail out! no device'], 'fail', 'rng')]),
      'failed',
      'rng: the test bailed out: no device',
    ],
    [
      'one skips all',
      several([...passing, ...suite(['1..1', 'ok 1 c # SKIP'], 'pass', 'rng')]),
      'failed',
      'rng: every test was skipped',
    ],
    ['there is none', facts(['x'], { expected: [] }), 'failed', 'no device of this machine has a test'],
  ])('%s', (_name, given, outcome, reason) => {
    expect(outcomeOf(given)).toEqual({ outcome, reason });
  });
});
