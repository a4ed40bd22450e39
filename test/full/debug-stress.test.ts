// SPDX-License-Identifier: MIT
/** The stress test on a kernel that checks itself: the driver passes it; drivers with faults that only this kernel sees do not. */
import { expect, test } from 'vitest';
import { undoEdits } from '../e2e/edit.js';
import { laboratory } from '../e2e/laboratory.js';
import { expectFound, type Fault, only } from '../e2e/stress.js';

undoEdits();
const { project } = laboratory();

const faults: readonly Fault[] = [
  {
    what: 'it gives a command without the lock',
    edits: [
      [
        '\tguard(mutex)(&sw->lock);\n\treturn stopwatch_command(sw, command);',
        '\treturn stopwatch_command(sw, command);',
      ],
    ],
    tests: ['binding', 'sharing'],
    codes: [1],
    said: /the kernel reported: WARNING: .* stopwatch_write\+/,
  },
  {
    what: 'it takes the lock again that it has',
    edits: [
      [
        '\tif (!ret)\n\t\tsw->armed = true;\n',
        '\tif (!ret && !stopwatch_perform(sw, STOPWATCH_CMD_UPDATE))\n\t\tsw->armed = true;\n',
      ],
    ],
    tests: ['binding', 'expiries'],
    // The lock checker says so before the guest hangs.
    codes: [1, 4],
    said: /WARNING: possible recursive locking detected/,
  },
  {
    what: 'it sleeps with interrupts off',
    edits: [
      [
        '\t/* writeq() orders this store before the command. */\n',
        '\tlocal_irq_disable();\n\tkfree(kzalloc(8, GFP_KERNEL));\n\tlocal_irq_enable();\n',
      ],
    ],
    tests: ['binding', 'afterwards'],
    codes: [1],
    said: /the kernel reported: BUG: sleeping function called from invalid context/,
  },
  {
    what: 'it uses a device that is gone',
    edits: [
      [
        '\tscoped_guard(mutex, &stopwatch_devices_lock)\n\t\tlist_del(&sw->node);\n\tstopwatch_dev_remove',
        '\tstopwatch_dev_remove',
      ],
    ],
    tests: ['binding', 'holding'],
    codes: [1, 4],
    said: /BUG: KASAN: slab-use-after-free in /,
  },
  {
    what: 'it does not free its state',
    edits: [['\tret = devm_add_action_or_reset(dev, stopwatch_put, sw);\n', '\tret = 0;\n']],
    tests: ['binding', 'memory'],
    codes: [1],
    said: /kmemleak: unreferenced object 0x[0-9a-f]+ \(size \d+\)/,
  },
];

test.each(faults)('$what: found by a kernel that checks itself', async (fault) =>
  expectFound(project, fault, ['--variant', 'debug']),
);

test('the driver as it is, on a kernel that checks itself: nothing to complain of, nothing leaked', async () => {
  const tests = ['binding', 'writes', 'sharing', 'holding', 'loading', 'memory', 'afterwards'];
  await project.passes(['stress', '--rounds', '2', '--variant', 'debug'], only(tests));
  const { guest } = project.lastReport().result;
  const {
    tests: [suite],
    verdict,
  } = project.lastDevice();
  expect(guest.warnings).toEqual([]);
  expect(suite?.tests.map(({ name }) => name)).toEqual(tests);
  expect(verdict?.result).toBe('agree');
});
