// SPDX-License-Identifier: MIT
/** `--variant debug`: a kernel that checks itself, on the real thing; and neither variant makes the other stale. */
import { expect, test } from 'vitest';
import { edit, undoEdits } from '../e2e/edit.js';
import { laboratory } from '../e2e/laboratory.js';

undoEdits();
const { project } = laboratory();

test('the debug variant passes its test, and its kernel has no complaint', async () => {
  const { code, out, err } = await project.events(['run-test-quit', '--variant', 'debug']);
  expect(code, out + err).toBe(0);
  expect(project.lastReport().result).toMatchObject({
    guest: { outcome: 'passed', warnings: [] },
    devices: [{ id: 'stopwatch', verdict: { result: 'agree' } }],
  });
});

test('with several processors lockdep and KASAN have no complaint either', async () => {
  const env = { STOPWATCH_VM_CPUS: '4' };
  // Not the script: on the host's clock it is too slow for its own timeouts here.
  const args = ['test', '--only', 'stopwatch/stopwatch_dev', '--variant', 'debug', '--realtime'];
  const { code, out, err } = await project.events(args, { env });
  expect(code, out + err).toBe(0);
  expect(project.lastReport().result.guest).toMatchObject({ outcome: 'passed', warnings: [] });
  expect(project.lastDevice().tests.map(({ suite }) => suite)).toEqual(['stopwatch/stopwatch_dev']);
});

test('a mutex in the handler: the splat leads, with its call trace', async () => {
  edit(
    project.package,
    'driver/stopwatch/stopwatch_main.c',
    '\tWRITE_ONCE(sw->interrupt_time, ktime_get_ns());\n',
    '\tguard(mutex)(&sw->lock);\n\tWRITE_ONCE(sw->interrupt_time, ktime_get_ns());\n',
  );
  const { code, out, err } = await project.stopwatch(['run-test-quit', '--variant', 'debug']);
  expect([1, 4], out + err).toContain(code);
  expect(err).toMatch(/^Error: .*BUG: sleeping function called from invalid context/m);
  expect(err).toMatch(
    /In the driver:\n +driver\/stopwatch\/stopwatch_main\.c:\d+: guard\(mutex\)\(&sw->lock\);\n +stopwatch_hardirq\+0x/,
  );
  expect(err).toMatch(/^ +Call trace:$/m);
});

test('the variants live side by side', async () => {
  for (const variant of ['plain', 'debug', 'coverage', 'plain', 'debug', 'coverage'])
    await project.events(['update', '--variant', variant]);
  for (const variant of ['plain', 'debug', 'coverage']) {
    const { code, done } = await project.events(['update', '--variant', variant]);
    expect([variant, code, done]).toEqual([variant, 0, []]);
  }
});
