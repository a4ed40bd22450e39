// SPDX-License-Identifier: MIT
/** The stopwatch, as the toolchain sees it. */
import type { DeviceDescription } from '../vm/device.js';

export const stopwatchDescription: DeviceDescription = {
  name: 'stopwatch',
  qemuType: 'stopwatch',
  compatible: 'stopwatch',
  kernelParameter: 'stopwatch',
  module: 'stopwatch',
  tracePatterns: ['stopwatch_*'],
  witnessRegions: ['stopwatch-regs'],
};
