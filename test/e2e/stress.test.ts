// SPDX-License-Identifier: MIT
/** The driver passes the stress test; drivers with a fault do not. Faults that only a debug kernel sees: test/full/debug-stress.test.ts. */
import { expect, test } from 'vitest';
import { undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';
import { expectFound, type Fault } from './stress.js';

undoEdits();
const { project } = laboratory();

test('the driver as it is', async () => {
  await project.passes(['stress', '--seconds', '6']);
  const { guest } = project.lastReport().result;
  const {
    tests: [suite],
    verdict,
  } = project.lastDevice();
  expect(suite?.tests.map(({ name, status }) => `${name} ${status}`)).toEqual([
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

const faults: readonly Fault[] = [
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
      ['\tstopwatch_dev_remove(sw);\n\tstopwatch_quiesce(sw);', '\tstopwatch_dev_remove(sw);'],
      ['\tstopwatch_quiesce(sw);\n\tret = devm_request_threaded_irq', '\tret = devm_request_threaded_irq'],
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
        '\tWRITE_ONCE(sw->timeouts, sw->timeouts + 1);\n',
        '\tif (readq(sw->regs + STOPWATCH_TIMEOUT_COUNT) % 2)\n\t\tWRITE_ONCE(sw->timeouts, sw->timeouts + 1);\n',
      ],
    ],
    tests: ['binding', 'sharing', 'expiries'],
    codes: [1],
    said: /interrupts(?: of .*)?: expected '\d+', got '\d+'/,
  },
];

test.each(faults)('$what: found', async (fault) => expectFound(project, fault, []));
