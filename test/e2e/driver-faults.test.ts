// SPDX-License-Identifier: MIT
/** A fault of the driver or of the guest's test is not blamed on the device, and the first lines say what to fix. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GuestOutcome } from '../../vm/types.js';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';

undoEdits();

const { project } = laboratory();

const DRIVER = 'driver/stopwatch/stopwatch_main.c';
const DEVICE = 'device/stopwatch/stopwatch.c';
const TEST = 'guest_fs/stopwatch/stopwatch_test.sh';
const KTAP = 'guest_fs/base/testing.sh';
const HANDLER = '\tguard(mutex)(&sw->lock);\n\t/* From version 2 on';

interface Fault {
  readonly what: string;
  readonly edits: readonly (readonly [file: string, old: string, replacement: string])[];
  readonly code: number;
  readonly outcome: GuestOutcome;
  /** What the terminal says. */
  readonly said: readonly (string | RegExp)[];
}

const faults: readonly Fault[] = [
  {
    what: 'a null pointer in the interrupt handler',
    edits: [[DRIVER, HANDLER, `\tsw = *(struct stopwatch **)NULL;\n${HANDLER}`]],
    code: 4,
    outcome: 'panicked',
    said: [
      'Unable to handle kernel NULL pointer dereference',
      /In the driver:\n +driver\/stopwatch\/stopwatch_main\.c:\d+: sw = \*\(struct stopwatch \*\*\)NULL;\n +stopwatch_interrupt\+0x/,
      /In the guest's test after '\w+'/,
      'Call trace:',
    ],
  },
  {
    what: 'an interrupt that is not acknowledged',
    edits: [[DRIVER, '\tfired = !stopwatch_command(sw, STOPWATCH_CMD_TIMEOUT_ACK);\n', '\tfired = true;\n']],
    code: 4,
    outcome: 'hung',
    said: [/interrupt raised at seq \d+, never acknowledged: see the driver's interrupt handler/],
  },
  {
    what: 'a sleep in the interrupt handler',
    edits: [
      // No thread of its own any more.
      [DRIVER, '\treturn IRQ_WAKE_THREAD;\n', '\treturn stopwatch_interrupt(irq, data);\n'],
      [DRIVER, HANDLER, `\tmsleep(1);\n${HANDLER}`],
      [DRIVER, '#include <linux/debugfs.h>\n', '#include <linux/debugfs.h>\n#include <linux/delay.h>\n'],
    ],
    code: 4,
    outcome: 'hung',
    said: [
      'BUG: scheduling while atomic',
      /In the driver:\n +driver\/stopwatch\/stopwatch_main\.c:\d+: msleep\(1\);\n/,
    ],
  },
  {
    what: 'a mutex that is taken twice',
    edits: [
      [
        DRIVER,
        '\tret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE);\n',
        '\tguard(mutex)(&sw->lock);\n\tret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE);\n',
      ],
    ],
    code: 4,
    outcome: 'hung',
    said: [
      'waits in the kernel, and is not woken',
      /In the driver:\n +driver\/stopwatch\/stopwatch_main\.c:\d+: guard\(mutex\)\(&sw->lock\);\n +stopwatch_text\+0x/,
    ],
  },
  {
    what: 'a waiter that is not woken',
    edits: [[DRIVER, '\twake_up_all(&sw->wait);\n', '']],
    code: 4,
    outcome: 'hung',
    said: [/^ +process stopwatch_dev_t waits in \w*poll\w*$/m, /expiry of the timeout → interrupt raised/],
  },
  {
    what: 'an interrupt that is not there',
    edits: [[DRIVER, 'irq = platform_get_irq(pdev, 0);', 'irq = platform_get_irq(pdev, 1);']],
    code: 1,
    outcome: 'failed',
    said: [/The driver said:\n +stopwatch \S+: error \S+ IRQ index 1 not found/],
  },
  {
    what: 'a device that never returns from PAUSE',
    edits: [
      [
        DEVICE,
        '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
        '        for (;;) {\n            g_usleep(1000);\n        }\n        s->status = STOPWATCH_STATUS_PAUSED;',
      ],
    ],
    code: 4,
    outcome: 'hung',
    said: [/QEMU has not returned from the write at seq \d+ \(COMMAND = 2 \(PAUSE\), 8 bytes\)/],
  },
  {
    what: "a test's script that fails before its KTAP",
    edits: [[TEST, '. /usr/lib/stopwatch/testing.sh\n', '. /usr/lib/stopwatch/no-such-file.sh\n']],
    code: 1,
    outcome: 'failed',
    said: [/the test's script failed: .*no-such-file\.sh/],
  },
  {
    what: 'a KTAP version line with more on it',
    edits: [[KTAP, "\techo 'KTAP version 1'\n", "\techo 'hello KTAP version 1'\n"]],
    code: 1,
    outcome: 'failed',
    said: ["the KTAP version line is not alone on its line: 'hello KTAP version 1'"],
  },
  {
    what: 'a KTAP without a plan',
    edits: [[KTAP, '\techo "1..$#"\n', '']],
    code: 1,
    outcome: 'failed',
    said: ['no plan (1..N)'],
  },
  {
    what: 'more results than planned',
    edits: [[KTAP, '\techo "1..$#"\n', '\techo 1..3\n']],
    code: 1,
    outcome: 'failed',
    said: [/planned 3 tests, got 16/],
  },
];

test.each(faults)('$what: exit code $code', async ({ edits, code, outcome, said }) => {
  for (const one of edits) edit(project.package, ...one);
  const { out, err } = await project.exits(code, ['run-test-quit']);
  const { result } = project.lastReport();
  expect(result.guest.outcome).toBe(outcome);
  for (const words of said) {
    if (typeof words === 'string') expect(err).toContain(words);
    else expect(err).toMatch(words);
  }
  expect(out + err).not.toContain('The device and the model differ');
  // It fits on a screen, and comes last.
  expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(readFileSync(project.lastRun('junit.xml'), 'utf8')).toMatch(code === 1 ? /<failure/ : /<error/);
  expect(await left(project)).toEqual([]);
});

test('a refused access is named', async () => {
  edit(
    project.package,
    DRIVER,
    'u64 state = readq(sw->regs + STOPWATCH_STATUS);',
    'u64 state = readw(sw->regs + STOPWATCH_STATUS);',
  );
  const { err } = await project.exits(1, ['run-test-quit']);
  expect(err).toMatch(/seq \d+: read \S+( 0x8)?, 2 bytes: refused \(BAD_ACCESS\)/);
});

test('a compiler error: the place in the repository, and what the compiler says', async () => {
  edit(project.package, DRIVER, '\tbool fired;\n', '\tbool fried;\n');
  const { err } = await project.exits(5, ['run-test-quit']);
  expect(err).toMatch(/^Error: \S*driver\/stopwatch\/stopwatch_main\.c:\d+:\d+: error: /m);
  expect(err).not.toMatch(/make(?:\[\d+\])?: \*\*\*/);
});

test('a guest that prints without an end: ended, and little of it is kept', async () => {
  edit(project.package, TEST, 'test_starting() {\n', 'test_starting() {\n\tyes spam\n');
  const { err } = await project.exits(4, ['run-test-quit']);
  expect(err).toContain('the guest printed more than 4 MiB on the console');
  expect(readFileSync(project.lastRun('console.log')).length).toBeLessThan(8 * 2 ** 20);
  const { dropped } = project.lastReport().host;
  expect(dropped.lines).toBeGreaterThan(1e6);
});

test('a run that passes says what it touched, and keeps only what a verdict rests on', async () => {
  const out = await project.passes(['run-test-quit']);
  expect(out).toMatch(/Exercised .* of \d+ accesses, /);
  expect(out).toContain('Next: npx stopwatch fuzz --seconds 20');
  const events = readFileSync(project.lastRun('events.log'), 'utf8');
  expect(events).not.toContain("name 'pl011'");
  expect(events).toMatch(/^console \d+: KTAP version 1$/m);
});
