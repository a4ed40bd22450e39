// SPDX-License-Identifier: MIT
/**
 * The public API for devices, exported as `stopwatch/device-kit`; a project made
 * by `init` imports it as `#device-kit`. Devices import nothing else of Stopwatch
 * but, for `fuzz` and `mutants`, `stopwatch/device-kit/fuzz`, so that a device can
 * live in a project of its own.
 */
export {
  type CheckerParts,
  Crosscheck,
  deviceChecker,
  MachineCrosscheck,
  readRegister,
  reasonWords,
  type Register,
  writeRegister,
} from './crosscheck/index.js';
export type {
  Access,
  AnyChecker,
  Channel,
  Check,
  CheckedRegister,
  DeviceChecker,
  Divergence,
  Expected,
  InvalidReason,
  Observable,
  Step,
  StepFailure,
  StreamEvent,
  Verdict,
  Words,
} from './crosscheck/index.js';
export {
  ACCESS,
  traceFormat,
  type EventOf,
  type TraceEvents,
  type TraceFormat,
} from './crosscheck/trace-format.js';
export type {
  Device,
  DeviceDescription,
  DeviceTreeNode,
  GeneratedFile,
  HostRow,
  ModelSettings,
} from './device.js';
