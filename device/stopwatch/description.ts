// SPDX-License-Identifier: MIT
/** The stopwatch, as the toolchain sees it. */
import type { DeviceDescription } from '../../vm/device-kit.js';
import { TRACE } from './checker/trace.js';

export const stopwatchDescription: DeviceDescription = {
  name: 'stopwatch',
  qemuType: 'stopwatch',
  properties: { start_at_boot: true },
  deviceTree: { compatible: ['qemu,stopwatch', 'stopwatch'], regions: ['mem', 'regs'] },
  traceEvents: TRACE,
  writeHandler: 'stopwatch_write',
};
