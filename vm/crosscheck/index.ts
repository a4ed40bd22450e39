// SPDX-License-Identifier: MIT
/** The cross-check of a device against its reference model. */
export { Crosscheck, judgeFile, type JudgeFileOptions, type LiveCrosscheck } from './crosscheck.js';
export { formatVerdict, reasonWords, summary } from './format.js';
export { Judge, type JudgeOptions } from './judge.js';
export type * from './types.js';
export type { WitnessOptions } from './witness.js';
