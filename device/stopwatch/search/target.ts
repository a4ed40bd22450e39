// SPDX-License-Identifier: MIT
/** The stopwatch, for the search. */
import type { FuzzTarget } from '../../../lab/search/device-kit.js';
import { DECISIONS } from '../decisions.js';
import { makeScript } from './generate.js';
import type { Operation, Script } from './script.js';
import { simpler } from './simpler.js';
import { planInSlices } from './story.js';

export const stopwatchTarget: FuzzTarget<Operation, Script> = {
  sample: makeScript,
  // That it starts is the property's default, which is part of the contract.
  device: ({ startAtBoot }) => (startAtBoot ? 'stopwatch' : 'stopwatch,start_at_boot=off'),
  plan: (script, base) => planInSlices(script, { base }),
  withOperations: (script, operations) => ({ ...script, operations }),
  simpler,
  decisions: DECISIONS.map(
    ({ operation, status, timeout }) => `${operation} in ${status}, timeout ${timeout}`,
  ),
};
