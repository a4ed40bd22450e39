// SPDX-License-Identifier: MIT
/** The cross-check of devices against their reference models. */
export {
  type CheckerParts,
  deviceChecker,
  readRegister,
  type Register,
  writeRegister,
} from './device-checker.js';
export { Crosscheck } from './crosscheck.js';
export {
  type CheckedInstance,
  checkMachineFile,
  type InstanceVerdict,
  MachineCrosscheck,
} from './machine.js';
export { coveredLines, divergenceTable, formatVerdict, reasonWords, statesTable, summary } from './format.js';
export { BAIL_OUT } from './event-history.js';
export { Checker, type CheckOptions } from './checker.js';
export type * from './types.js';
export type { MonitorOptions } from './monitor.js';
