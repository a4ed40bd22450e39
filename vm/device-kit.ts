// SPDX-License-Identifier: MIT
/**
 * The public API for devices, exported as `stopwatch/device-kit`; a project made
 * by `init` imports it as `#device-kit`. Devices import nothing else, so that a
 * device can live in a project of its own.
 */
export * from './crosscheck/index.js';
export {
  ACCESS,
  traceFormat,
  type EventOf,
  type TraceEvents,
  type TraceFormat,
} from './crosscheck/trace-format.js';
export type * from './device.js';
