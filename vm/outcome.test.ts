// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { findingOf } from './console/console.js';
import { type BootFacts, outcomeOf } from './outcome.js';
import { KtapParser } from './console/ktap.js';

/** A boot that passed, from its console; what differs is given. */
function facts(lines: readonly string[], different: Partial<BootFacts> = {}): BootFacts {
  const ktap = new KtapParser();
  for (const line of lines) ktap.line(line);
  return {
    guest: 'test_and_quit',
    ktap: ktap.end(),
    findings: lines.flatMap((line) => findingOf(line) ?? []),
    splats: 'warn',
    spoke: lines.length > 0,
    lastLine: lines.at(-1) ?? '',
    ending: { by: 'itself' },
    shutdown: 'guest-shutdown',
    qemuMessages: [],
    exit: { code: 0, signal: undefined },
    ...different,
  };
}
const passing = ['KTAP version 1', '1..2', 'ok 1 a', 'ok 2 b'];
const PANIC = '[    0.100000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300';
const SPLAT = '[    0.100000] WARNING: possible circular locking dependency detected';

describe('judge', () => {
  it.each<[string, BootFacts, string, string]>([
    ['passes', facts(passing), 'passed', '2 tests passed'],
    ['a test failed', facts(['KTAP version 1', '1..2', 'ok 1 a', 'not ok 2 b']), 'failed', "'b' failed"],
    [
      'several failed',
      facts(['KTAP version 1', '1..2', 'not ok 1 a', 'not ok 2 b']),
      'failed',
      "'a' and 1 more failed",
    ],
    [
      'bailed out',
      facts(['KTAP version 1', '1..2', 'Bail out! no device']),
      'failed',
      'the test bailed out: no device',
    ],
    ['all skipped', facts(['KTAP version 1', '1..1', 'ok 1 a # SKIP']), 'failed', 'every test was skipped'],
    ['nothing planned', facts(['KTAP version 1', '1..0']), 'failed', 'the test planned nothing'],
    [
      'numbers out of order',
      facts(['KTAP version 1', '1..2', 'ok 2 b', 'ok 1 a']),
      'failed',
      "the test's KTAP is not sound: 'b' has number 2 where 1 was expected",
    ],
    [
      'a plan that is not met',
      facts(['KTAP version 1', '1..2', 'ok 1 a']),
      'exited-early',
      "the guest powered off after 1 of 2 test results, the last being 'a'",
    ],
    ['no test', facts(['hello']), 'exited-early', 'the guest powered off before the test began'],
    ['no word', facts([]), 'exited-early', 'the guest powered off without a word before the test began'],
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
      facts(passing.slice(0, 3), { ending: { by: 'silence', seconds: 5 } }),
      'hung',
      "nothing was printed for 5 s, after 1 of 2 test results, the last being 'a'; the last line was 'ok 1 a'",
    ],
    [
      'a hang after the test',
      facts(passing, { ending: { by: 'silence', seconds: 5 } }),
      'hung',
      "nothing was printed for 5 s, after 2 of 2 test results, the last being 'b'; the last line was 'ok 2 b'",
    ],
    [
      'a guest that never ends',
      facts(['x'], { ending: { by: 'total', seconds: 60 } }),
      'hung',
      "still running after 60 s in all, before the test began; the last line was 'x'",
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
      'QEMU was ended from outside (host-signal)',
    ],
    [
      'a test that did not get to its end, where it may not',
      facts([SPLAT, ...passing.slice(0, 3)], { splats: 'fail' }),
      'exited-early',
      "the guest powered off after 1 of 2 test results, the last being 'a'",
    ],
    [
      'a test in which it did, where it may not',
      facts([SPLAT, ...passing], { splats: 'fail' }),
      'failed',
      `the kernel complained: ${SPLAT.slice(15)}`,
    ],
    ['any other test in which it did', facts([SPLAT, ...passing]), 'passed', '2 tests passed'],
    ['interrupted', facts([PANIC], { ending: { by: 'interrupt' } }), 'interrupted', 'interrupted'],
    [
      'stopped by the caller',
      facts(passing.slice(0, 2), { ending: { by: 'stop', reason: 'divergence' } }),
      'stopped',
      'divergence',
    ],
    ['a shell that was left', facts(['/ #'], { guest: 'shell' }), 'ended', 'the guest powered off'],
    [
      'an init that could not be started',
      facts(['Requested init /x failed (error -2).', PANIC]),
      'panicked',
      `${PANIC.slice(15)} (after: Requested init /x failed (error -2).)`,
    ],
  ])('%s', (_name, given, outcome, reason) => {
    expect(outcomeOf(given)).toEqual({ outcome, reason });
  });
});
