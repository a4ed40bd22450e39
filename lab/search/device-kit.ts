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
} from './campaign.js';
export { Draw, weighted } from './draw.js';
export { FuzzMachine, MachineError, type MachinePorts } from './machine.js';
export { minimise } from './minimise.js';
export { mask, type Mutant, mutants, operators } from './mutate.js';
export { maskTypeScript, modelOperators } from './mutate-typescript.js';
export { type Action, type Exchange, ExchangeBuilder, type Plan } from './plan.js';
export type { Observed, Outcome } from './rig.js';
export type {
  DeviceSearch,
  HostClockCheck,
  Killer,
  MutantBudget,
  MutantVerdict,
  SearchableDevice,
  ShrinkBudget,
  Told,
  TraceCheck,
} from './search.js';
