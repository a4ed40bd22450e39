// SPDX-License-Identifier: MIT
/** The driver stands the stress test; drivers with a fault do not, each for its own reason. */
import { beforeAll, expect, test } from 'vitest';
import { edit, undoEdits } from './edit.js';
import { type Laboratory, laboratory } from './laboratory.js';
import { left } from './project.js';

undoEdits();

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
});

const DRIVER = 'driver/stopwatch/stopwatch.c';

/** The tests of the stress test that are needed, or all. */
function only(tests: readonly string[]): { readonly env: Readonly<Record<string, string>> } {
  return { env: { STOPWATCH_VM_APPEND: `STRESS_TESTS=${tests.join('+')}` } };
}

test('the driver as it is', async () => {
  const { project } = lab;
  const { code, out, err } = await project.stopwatch(['stress', '--seconds', '6']);
  expect(code, out + err).toBe(0);
  const { guest, verdict } = project.lastReport().result;
  expect(guest.ktap.tests.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'binding ok',
    'writes ok',
    'sharing ok',
    'holding ok',
    'loading ok',
    'expiries ok',
    'memory ok',
    'afterwards ok',
  ]);
  expect(guest.clock).toBe('realtime');
  expect(verdict?.result).toBe('agree');
  // A round of the expiries alone makes one, and the end another one.
  expect(verdict?.counts['interrupts']).toBeGreaterThanOrEqual(2);
  expect(await left(project)).toEqual([]);
});

interface Fault {
  readonly what: string;
  /** Text of the driver, and what it is replaced by. */
  readonly edits: readonly (readonly [string, string])[];
  /** What finds it. */
  readonly tests: readonly string[];
  /** 1: the guest's test or its kernel says so; 3: the cross-check; 4: the kernel has panicked. */
  readonly codes: readonly number[];
  readonly said: RegExp;
}

async function expectFound({ edits, tests, codes, said }: Fault, more: readonly string[]): Promise<void> {
  const { project } = lab;
  for (const [old, replacement] of edits) edit(project.package, DRIVER, old, replacement);
  const { code, out, err } = await project.stopwatch(['stress', '--rounds', '1', ...more], only(tests));
  expect(codes, out + err).toContain(code);
  expect(out + err).toMatch(said);
}

const plainly: readonly Fault[] = [
  {
    what: 'it leaves its directory in debugfs',
    edits: [
      ['\tdebugfs_remove(stopwatch_debugfs);\n\tplatform_driver_unregister', '\tplatform_driver_unregister'],
    ],
    tests: ['binding', 'holding'],
    codes: [1],
    said: /the driver is unloaded, and there still is \/sys\/kernel\/debug\/stopwatch/,
  },
  {
    what: 'it goes and leaves its timeout armed',
    edits: [
      ['\t\tlist_del(&sw->node);\n\tstopwatch_quiesce(sw);', '\t\tlist_del(&sw->node);'],
      ['\tstopwatch_quiesce(sw);\n\tret = devm_request_irq', '\tret = devm_request_irq'],
    ],
    tests: ['binding', 'expiries'],
    // The device has fired more often than there was a driver to hear it; or the next driver has heard it.
    codes: [1, 3],
    said: /compared {2}guest\.interrupts\n +expected {2}at most \d+|before the driver was loaded: expected '0', got '1'/,
  },
  {
    what: 'it loses every second interrupt',
    edits: [
      [
        '\tif (!ret)\n\t\tWRITE_ONCE(',
        '\tif (!ret && readq(sw->regs + STOPWATCH_TIMEOUT_COUNT) % 2)\n\t\tWRITE_ONCE(',
      ],
    ],
    tests: ['binding', 'sharing', 'expiries'],
    codes: [1],
    said: /interrupts(?: of .*)?: expected '\d+', got '\d+'/,
  },
];

test.each(plainly)('$what: found', async (fault) => expectFound(fault, []));

/** What only a kernel that looks after itself can see. */
const checked: readonly Fault[] = [
  {
    what: 'it gives a command without the lock',
    edits: [
      [
        '\tspin_lock_irqsave(&sw->lock, flags);\n\tret = stopwatch_command(sw, command);\n\tspin_unlock_irqrestore(&sw->lock, flags);\n',
        '\tflags = 0;\n\tret = stopwatch_command(sw, command + flags);\n',
      ],
    ],
    tests: ['binding', 'sharing'],
    codes: [1],
    said: /the kernel complained: WARNING: .* stopwatch_write\+/,
  },
  {
    what: 'it takes the lock of its interrupt handler with interrupts on',
    edits: [
      [
        '\tspin_lock_irqsave(&sw->lock, flags);\n\tret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE);',
        '\tflags = 0;\n\tspin_lock(&sw->lock);\n\tret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE + flags);',
      ],
      [
        '\tmemcpy(text, sw->mem->data, STOPWATCH_DATA_SIZE);\n\tspin_unlock_irqrestore(&sw->lock, flags);',
        '\tmemcpy(text, sw->mem->data, STOPWATCH_DATA_SIZE);\n\tspin_unlock(&sw->lock);',
      ],
    ],
    // The lock checker needs to see both uses, not a deadlock. Where there is one, the guest hangs.
    tests: ['binding', 'sharing', 'afterwards'],
    codes: [1, 4],
    said: /WARNING: (?:inconsistent lock state|possible irq lock inversion dependency detected)/,
  },
  {
    what: 'it sleeps under a spinlock',
    edits: [
      ['\t/* writeq() orders this store before the command. */\n', '\tkfree(kzalloc(8, GFP_KERNEL));\n'],
      ['#include <linux/seq_file.h>\n', '#include <linux/seq_file.h>\n#include <linux/slab.h>\n'],
    ],
    tests: ['binding', 'afterwards'],
    codes: [1],
    said: /the kernel complained: BUG: sleeping function called from invalid context/,
  },
  {
    what: 'it uses a device that is gone',
    edits: [
      [
        '\tscoped_guard(mutex, &stopwatch_devices_lock)\n\t\tlist_del(&sw->node);\n\tstopwatch_quiesce',
        '\tstopwatch_quiesce',
      ],
    ],
    tests: ['binding', 'holding'],
    codes: [1, 4],
    said: /BUG: KASAN: slab-use-after-free in /,
  },
  {
    what: 'it does not free its state',
    edits: [
      ['devm_kzalloc(dev, sizeof(*sw), GFP_KERNEL)', 'kzalloc(sizeof(*sw), GFP_KERNEL)'],
      ['#include <linux/seq_file.h>\n', '#include <linux/seq_file.h>\n#include <linux/slab.h>\n'],
    ],
    tests: ['binding', 'memory'],
    codes: [1],
    said: /kmemleak: unreferenced object 0x[0-9a-f]+ \(size 128\)/,
  },
];

test.each(checked)('$what: found by a kernel that checks itself', async (fault) =>
  expectFound(fault, ['--variant', 'debug']),
);

test('the driver as it is, on a kernel that checks itself: nothing to complain of, nothing leaked', async () => {
  const { project } = lab;
  const tests = ['binding', 'writes', 'sharing', 'holding', 'loading', 'memory', 'afterwards'];
  const { code, out, err } = await project.stopwatch(
    ['stress', '--rounds', '2', '--variant', 'debug'],
    only(tests),
  );
  expect(code, out + err).toBe(0);
  const { guest, verdict } = project.lastReport().result;
  expect(guest.warnings).toEqual([]);
  expect(guest.ktap.tests.map(({ name }) => name)).toEqual(tests);
  expect(verdict?.result).toBe('agree');
});
