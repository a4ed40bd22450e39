// SPDX-License-Identifier: MIT
/** Recorded and written consoles, each named by what it shows, through everything that reads a console. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findingOf, plainText } from './console.js';
import { ConsoleObserver } from './observer.js';

const directory = new URL('../../test/fixtures/console/', import.meta.url);

interface Expected {
  /** `kind: text`, each once. */
  readonly findings: readonly string[];
  /** `planned`, then `status name` of each test. Undefined: no document at all. */
  readonly tests?: readonly string[];
  readonly problems?: readonly string[];
}

const passing = (
  'binding texts unbinding reloading resetting starting pausing resuming resetting_from_anywhere ' +
  'commands numbers timeouts busy expiry expiry_again sharing'
)
  .split(' ')
  .map((name) => `ok ${name}`);
const POWER_OFF = 'power-off: reboot: Power down';
const ATTEMPTED = 'panic: Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300';
const NULL = 'splat: Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008';
const INTERNAL = 'splat: Internal error: Oops: 0000000096000046 [#1] SMP';

const expected: Readonly<Record<string, Expected>> = {
  passed: { findings: [POWER_OFF], tests: passing, problems: [] },
  'passed-kernel-noise': { findings: [POWER_OFF], tests: passing, problems: [] },
  failed: { findings: [POWER_OFF], tests: ['ok first', 'not ok second', 'skip third'], problems: [] },
  'powered-off-early': {
    findings: [POWER_OFF],
    tests: ['ok first'],
    problems: ['planned 3 tests, got 1'],
  },
  'hung-after-one': { findings: [], tests: ['ok first'], problems: ['planned 3 tests, got 1'] },
  restarted: { findings: ['restart: reboot: Restarting system'] },
  'panic-no-init': {
    findings: [
      'init-failure: VFS: Cannot open root device "" or unknown-block(0,0): error -6',
      'panic: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
    ],
  },
  'panic-init-exits': { findings: [ATTEMPTED] },
  'panic-sysrq': { findings: ['panic: Kernel panic - not syncing: sysrq triggered crash'] },
  'out-of-memory': { findings: ['panic: Kernel panic - not syncing: System is deadlocked on memory'] },
  warning: {
    findings: [
      'splat: WARNING: CPU: 0 PID: 25 at drivers/misc/bad.c:4 bad_init+0x14/0x1000 [bad1]',
      POWER_OFF,
    ],
    tests: ['ok first'],
    problems: [],
  },
  bug: {
    findings: [
      'splat: kernel BUG at drivers/misc/bad.c:4!',
      'splat: Internal error: Oops - BUG: 00000000f2000800 [#1] SMP',
      'panic: Kernel panic - not syncing: Oops - BUG: Fatal exception',
    ],
  },
  oops: { findings: [NULL, INTERNAL, 'panic: Kernel panic - not syncing: Oops: Fatal exception'] },
  'oops-goes-on': { findings: [NULL, INTERNAL, POWER_OFF] },
  'kunit-nested': {
    findings: [POWER_OFF],
    tests: [
      'ok stopwatch / reset',
      'not ok stopwatch / text',
      'skip stopwatch / timeout',
      'not ok stopwatch',
    ],
    problems: [],
  },
  'cut-by-kernel': { findings: [], tests: ['ok timeout', 'not ok text', 'ok bold'], problems: [] },
  'garbage-and-no-newline': { findings: [], tests: ['ok caf\ufffd', 'ok last'], problems: [] },
};

describe('a recorded console', () => {
  it('has an expectation for each recording', () => {
    const recorded = readdirSync(directory).map((name) => name.replace(/\.log$/, ''));
    expect(recorded.sort()).toEqual(Object.keys(expected).sort());
  });

  describe.each(Object.entries(expected))('%s', (name, { findings, tests, problems }) => {
    const bytes = readFileSync(new URL(`${name}.log`, directory));

    it.each([1, 7, bytes.length])('is understood in chunks of %i bytes', (size) => {
      const observer = new ConsoleObserver(
        () => 0,
        () => {},
      );
      for (let at = 0; at < bytes.length; at += size) observer.push(bytes.subarray(at, at + size));
      const { ktap } = observer.end();
      expect(observer.findings.map(({ kind, text }) => `${kind}: ${text}`)).toEqual(findings);
      expect(ktap.tests.map((test) => `${test.status} ${test.name}`)).toEqual(tests ?? []);
      expect(ktap.problems).toEqual(problems ?? ['no KTAP version line']);
    });
  });
});

describe('findingOf', () => {
  it.each([
    ['No working init found.  Try passing init= option to kernel.', 'init-failure'],
    ['[    0.5] Kernel panic - not syncing: x', undefined],
    ['[    0.500000] Requested init /x failed (error -2).', 'init-failure'],
    ['[    9.000000][    T1] Kernel panic - not syncing: x', 'panic'],
    ['[    9.000000] ---[ end Kernel panic - not syncing: x ]---', undefined],
    ['[    9.000000] Out of memory: Killed process 12 (cat)', 'out-of-memory'],
    ['[    9.000000] cat invoked oom-killer: gfp_mask=0x1', 'out-of-memory'],
    ['[    9.000000] rcu: INFO: rcu_sched self-detected stall on CPU', 'splat'],
    ['[    9.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!', 'splat'],
    ['[    9.000000] INFO: possible recursive locking detected', 'splat'],
    ['[    9.000000] irq 12: nobody cared (try booting with the "irqpoll" option)', 'splat'],
    ['[    9.000000] UBSAN: shift-out-of-bounds in drivers/misc/bad.c:4:7', 'splat'],
    ["[    9.000000] sysfs: cannot create duplicate filename '/module/bad'", 'splat'],
    ['[    9.000000] INFO: lockdep is turned off.', undefined],
    ['[    9.000000] INFO: task sh:12 blocked for more than 120 seconds.', 'splat'],
    ['[    9.000000] stopwatch: WARNING: not one of the kernel’s own', undefined],
    ['# Kernel panic - not syncing is what we test for', undefined],
  ])('%s', (line, kind) => {
    expect(findingOf(line)?.kind).toBe(kind);
  });
});

describe('plainText', () => {
  it('takes away what only a terminal needs', () => {
    expect(plainText('\u001b[1;32mok\u001b[0m \u001b]0;title\u0007a\tb\u0000\u001b[6n')).toBe('ok a\tb');
  });
});
