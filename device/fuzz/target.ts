// SPDX-License-Identifier: MIT
/** The stopwatch, for the search. */
import { fc, type FuzzTarget } from '../../vm/device-kit-fuzz.js';
import { eventful, scripts } from './arbitrary.js';
import type { Operation, Script } from './script.js';
import { simpler } from './simpler.js';
import { planInSlices } from './story.js';

export const stopwatchTarget: FuzzTarget<Operation, Script> = {
  sample: (seed, index, withEvents) => {
    const [script] = fc.sample(withEvents ? eventful : scripts, { seed: mix(seed, index), numRuns: 1 });
    if (script === undefined) throw new Error('fast-check gave no script');
    return script;
  },
  // That it starts is the property's default, which is part of the contract.
  device: ({ startAtBoot }) => (startAtBoot ? 'stopwatch' : 'stopwatch,start_at_boot=off'),
  plan: (script, base) => planInSlices(script, { base }),
  withOperations: (script, operations) => ({ ...script, operations }),
  simpler,
};

/** A seed of 32 bits for each script: neighbours must have nothing in common. */
function mix(seed: number, index: number): number {
  let value = Math.imul(seed ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 15), 0xc2b2ae35);
  return value ^ (value >>> 13);
}
