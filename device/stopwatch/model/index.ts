// SPDX-License-Identifier: MIT
/** The stopwatch's reference model. Imports nothing but the contract. */
export { type Decoded, decode } from './access.js';
export { describe, describeSnapshot, errorNames } from './describe.js';
export {
  elapsedAt,
  initialState,
  irqLevel,
  type ModelState,
  type Snapshot,
  snapshotAt,
  stopwatchText,
} from './state.js';
export { counterAt, type PageFields } from './page.js';
export { step } from './step.js';
export type {
  DoorbellStimulus,
  Effect,
  Failure,
  LoadStimulus,
  ReadStimulus,
  Requests,
  ResetStimulus,
  ResumeStimulus,
  StepResult,
  Stimulus,
  TimerStimulus,
  WriteStimulus,
} from './types.js';
export { commandName, consumesMem, ringsDoorbell } from './write.js';
