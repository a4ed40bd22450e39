// SPDX-License-Identifier: MIT
/** The device: the value that Stopwatch loads. */
import type { Device } from '#device-kit';
import { gadgetChecker, TRACE } from './model.js';

export const device: Device = {
  description: {
    name: 'gadget',
    qemuType: 'gadget',
    properties: { initial: 5 },
    deviceTree: { compatible: 'gadget', regions: ['regs'] },
    traceEvents: TRACE,
    writeHandler: 'gadget_write',
  },
  checker: ({ properties: { initial } }) => gadgetChecker(BigInt(Number(initial))),
};
