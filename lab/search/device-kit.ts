// SPDX-License-Identifier: MIT
/** The public API for a device's search, exported as `stopwatch/device-kit/fuzz`. Only `fuzz` and `mutants` load it. */
export { z } from 'zod';
export { MachineError, type MachinePorts, SEARCH_ID, SearchMachine, type SearchRequest } from './machine.js';
export { type Action, type Exchange, ExchangeBuilder, type Plan } from './plan.js';
export { Random, weighted } from './random.js';
export type { Failed, ObservedAnswer, PlanOutcome } from './runner.js';
export type * from './search.js';
