// SPDX-License-Identifier: MIT
/** `--variant debug`: a kernel that checks itself, on the real thing; and neither variant makes the other stale. */
import { beforeAll, expect, test } from 'vitest';
import { edit, undoEdits } from './edit.js';
import { type Laboratory, laboratory } from './laboratory.js';

undoEdits();

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
});

test('the debug variant passes its test, and its kernel has nothing to complain of', async () => {
  const { code, out, err } = await lab.project.events(['run-test-quit', '--variant', 'debug']);
  expect(code, out + err).toBe(0);
  expect(lab.project.lastReport().result).toMatchObject({
    guest: { outcome: 'passed', warnings: [] },
    verdict: { result: 'agree' },
  });
});

test('the variants live side by side', async () => {
  const { project } = lab;
  for (const variant of ['plain', 'debug', 'coverage', 'plain', 'debug', 'coverage'])
    await project.events(['update', '--variant', variant]);
  for (const variant of ['plain', 'debug', 'coverage']) {
    const { code, done } = await project.events(['update', '--variant', variant]);
    expect([variant, code, done]).toEqual([variant, 0, []]);
  }
});

const ACKNOWLEDGE = '\tret = stopwatch_command(sw, STOPWATCH_CMD_TIMEOUT_ACK);\n\tif (!ret)';
const UPDATE = '\tret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE);';

test('a driver with three faults that a plain kernel gets away with is found out', async () => {
  const { project } = lab;
  // Interrupts are on while it holds the lock that its interrupt handler takes.
  const unlocked = `\tlocal_irq_enable();\n${UPDATE}\n\tlocal_irq_disable();`;
  edit(project.package, 'driver/stopwatch/stopwatch.c', UPDATE, unlocked);
  // The handler may sleep, and reads what it has freed.
  const handler = `\tu64 *old = kmalloc(8, GFP_KERNEL);

\tkfree(old);
\tOPTIMIZER_HIDE_VAR(old);
\tif (READ_ONCE(*old) == 1)
\t\tpr_info("one\\n");
`;
  edit(project.package, 'driver/stopwatch/stopwatch.c', ACKNOWLEDGE, `${handler}${ACKNOWLEDGE}`);
  const { code, out } = await project.events(['run-test-quit', '--variant', 'debug']);
  expect(code, out).toBe(1);
  const { guest } = project.lastReport().result;
  expect(guest.reason).toMatch(/^the kernel complained: /);
  expect(guest.warnings.slice(0, 3)).toEqual([
    expect.stringMatching(/^WARNING: inconsistent lock state/),
    expect.stringMatching(/^BUG: sleeping function called from invalid context/),
    expect.stringMatching(/^BUG: KASAN: slab-use-after-free in stopwatch_interrupt/),
  ]);
});
