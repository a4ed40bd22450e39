// SPDX-License-Identifier: MIT
/**
 * What a device's search imports of the tool: `stopwatch/device-kit/fuzz`.
 * Apart from the rest because it loads fast-check, which no boot needs.
 */
export * as fc from 'fast-check';
export {
  campaign,
  type CampaignResult,
  type Failed,
  type FuzzRequest,
  type FuzzTarget,
  observe,
  replay,
} from './fuzz/campaign.js';
export { Draw, weighted } from './fuzz/draw.js';
export { FuzzMachine, MachineError, type MachinePorts } from './fuzz/machine.js';
export { minimise } from './fuzz/minimise.js';
export { mask, type Mutant, mutants, operators } from './fuzz/mutate.js';
export { maskTypeScript, modelOperators } from './fuzz/mutate-typescript.js';
export { type Action, type Exchange, ExchangeBuilder, type Plan } from './fuzz/plan.js';
export type { Observed, Outcome } from './fuzz/rig.js';
export type {
  DeviceSearch,
  HostClockCheck,
  Killer,
  MutantBudget,
  MutantVerdict,
  ShrinkBudget,
  Told,
  TraceCheck,
} from './fuzz/search.js';
