// SPDX-License-Identifier: MIT
/** Runs recorded and hand-written console logs, named by scenario, through every console parser. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findingOf } from './console.js';
import { ConsoleObserver } from './observer.js';
import type { TestSuite } from '../types.js';

const directory = new URL('../../test/fixtures/console/', import.meta.url);

interface Expected {
  /** `kind: text`, each once. */
  readonly findings: readonly string[];
  /** `status name` of each test. Undefined: no test has begun. */
  readonly tests?: readonly string[];
  readonly problems?: readonly string[];
  /** Result that init printed. */
  readonly result?: TestSuite['result'];
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
  passed: { findings: [POWER_OFF], tests: passing, problems: [], result: 'pass' },
  'passed-kernel-noise': { findings: [POWER_OFF], tests: passing, problems: [], result: 'pass' },
  failed: {
    findings: [POWER_OFF],
    tests: ['ok first', 'not ok second', 'skip third'],
    problems: [],
    result: 'fail',
  },
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
    result: 'pass',
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
    result: 'fail',
  },
  // Five of the kernel's own self-tests (Linux 6.18); two of them failed on the recorded machine.
  kselftest: {
    findings: [POWER_OFF],
    tests: [
      'ok selftests: mixed: sas / Initial sigaltstack state was SS_DISABLE',
      'ok selftests: mixed: sas / sigaltstack is disabled in sighandler',
      'ok selftests: mixed: sas / sigaltstack is still SS_AUTODISARM after signal',
      'ok selftests: mixed: sas',
      'ok selftests: mixed: mincore_selftest / global.basic_interface',
      'ok selftests: mixed: mincore_selftest / global.check_anonymous_locked_pages',
      'skip selftests: mixed: mincore_selftest / global.check_huge_pages',
      'ok selftests: mixed: mincore_selftest / global.check_file_mmap',
      'ok selftests: mixed: mincore_selftest / global.check_tmpfs_mmap',
      'ok selftests: mixed: mincore_selftest',
      'ok selftests: mixed: kcmp_test',
      'not ok selftests: mixed: unshare_test / global.unshare_EMFILE',
      'not ok selftests: mixed: unshare_test',
      'not ok selftests: mixed: set-anon-vma-name-test / vma.renaming',
      'not ok selftests: mixed: set-anon-vma-name-test',
    ],
    problems: [],
    result: 'fail',
  },
  'cut-by-kernel': { findings: [], tests: ['ok timeout', 'not ok text', 'ok bold'], problems: [] },
  'garbage-and-no-newline': { findings: [], tests: ['ok caf\ufffd', 'ok last'], problems: [] },
};

describe('a recorded console', () => {
  it('has an expectation for each recording', () => {
    const recorded = readdirSync(directory).map((name) => name.replace(/\.log$/, ''));
    expect(recorded.sort()).toEqual(Object.keys(expected).sort());
  });

  describe.each(Object.entries(expected))('%s', (name, { findings, tests, problems, result }) => {
    const bytes = readFileSync(new URL(`${name}.log`, directory));

    it.each([1, 7, bytes.length])('is parsed in chunks of %i bytes', (size) => {
      const observer = new ConsoleObserver(
        () => 0,
        () => {},
      );
      for (let at = 0; at < bytes.length; at += size) observer.push(bytes.subarray(at, at + size));
      const { suites } = observer.end();
      expect(observer.findings.map(({ kind, text }) => `${kind}: ${text}`)).toEqual(findings);
      expect(suites.map(({ id }) => id)).toEqual(tests === undefined ? [] : ['stopwatch']);
      const [suite] = suites;
      expect(suite?.ktap.tests.map((test) => `${test.status} ${test.name}`)).toEqual(tests);
      expect(suite?.ktap.problems).toEqual(problems);
      expect(suite?.result).toBe(result);
    });
  });
});

function suitesOf(text: string) {
  let now = 0;
  const lines: string[] = [];
  const observer = new ConsoleObserver(
    () => (now += 1),
    (line) => lines.push(line),
  );
  observer.push(Buffer.from(text));
  return { ...observer.end(), lines };
}
const TWO = [
  'stopwatch: test: lap',
  'KTAP version 1',
  '1..1',
  'ok 1 a',
  'stopwatch: result: lap pass',
  'ok 9 of nothing',
  'stopwatch: test: rng',
  'KTAP version 1',
  '1..2',
  'not ok 1 b',
];

describe('the tests of several devices', () => {
  it('are kept apart by what init prints around them', () => {
    const { suites } = suitesOf([...TWO, 'ok 2 c', 'stopwatch: result: rng fail', ''].join('\n'));
    expect(
      suites.map(({ id, result, ktap }) => [id, result, ktap.tests.map(({ name }) => name), ktap.problems]),
    ).toEqual([
      ['lap', 'pass', ['a'], []],
      ['rng', 'fail', ['b', 'c'], []],
    ]);
    const [lap, rng] = suites;
    expect(lap?.timing.endMs).toBeLessThan(rng?.timing.startMs ?? 0);
  });

  it('may end before a result', () => {
    const { suites } = suitesOf(`${TWO.join('\n')}\n`);
    expect(suites.map(({ id, result, timing }) => [id, result, timing.endMs === undefined])).toEqual([
      ['lap', 'pass', false],
      ['rng', undefined, true],
    ]);
  });

  it('begin and end although the kernel cuts into what init prints', () => {
    const { suites, lines } = suitesOf(
      'stopw[    1.500000] first\natch: test: lap\nKTAP version 1\n1..1\nok 1 a\nstopwatch: result: l[    1.600000] second\nap pass\n',
    );
    expect(suites).toMatchObject([{ id: 'lap', result: 'pass', ktap: { problems: [] } }]);
    expect(lines).toContain('stopwatch: result: lap pass');
  });

  it('are not begun by a driver of the same name', () => {
    expect(suitesOf('[    1.500000] stopwatch: test: lap\n').suites).toEqual([]);
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
