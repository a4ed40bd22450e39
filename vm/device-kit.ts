// SPDX-License-Identifier: MIT
/**
 * All that a device imports of the tool: `stopwatch/device-kit`, in a project
 * made by `init` under the name `#device-kit`. Nothing in `device/` reaches
 * further, so that a device can live in a project of its own.
 */
export * from './crosscheck/index.js';
export {
  traceFormat,
  type EventOf,
  type TraceEvents,
  type TraceFormat,
} from './crosscheck/trace-format.js';
export type * from './device.js';
