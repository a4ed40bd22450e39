// SPDX-License-Identifier: MIT
/** The cross-check of a device against its reference model. */
export { Crosscheck, checkFile, type CheckFileOptions, type LiveCrosscheck } from './crosscheck.js';
export { formatVerdict, reasonWords, summary } from './format.js';
export { Checker, type CheckOptions } from './checker.js';
export type * from './types.js';
export type { MonitorOptions } from './monitor.js';
