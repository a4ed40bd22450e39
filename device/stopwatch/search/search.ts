// SPDX-License-Identifier: MIT
/** Everything that `fuzz` and `mutants` need to know about the stopwatch. */
import type { DeviceSearch } from '../../../lab/search/device-kit.js';
import { DECISIONS, decisionWords } from '../contract/decisions.js';
import mutants from '../waivers/mutants.json' with { type: 'json' };
import unreached from '../waivers/unreached.json' with { type: 'json' };
import { doorbellCheck, hostClockCheck, twoDevicesCheck, unknownCounterCheck } from './extra-checks.js';
import { makeScript } from './generate.js';
import { stopwatchMutationNames } from './mutation-names.js';
import { planInSlices } from './plan.js';
import { describeFailure, describeOperation } from './report.js';
import { formatScript, type Operation, parseScript, type Script } from './script.js';
import { simpler } from './simpler.js';
import { checkTrace, TRACE_PATTERNS } from './trace-check.js';

export const stopwatchSearch: DeviceSearch<Operation, Script> = {
  sample: makeScript,
  // `on` is the default, which is part of the contract.
  qemuDevice: ({ startAtBoot }) => (startAtBoot ? 'stopwatch' : 'stopwatch,start_at_boot=off'),
  plan: (script, base) => planInSlices(script, { base }),
  simpler,
  decisions: DECISIONS.map(decisionWords),
  parseScript,
  formatScript,
  describeOperation,
  describeFailure,
  trace: { patterns: TRACE_PATTERNS, check: checkTrace },
  extraChecks: [twoDevicesCheck, unknownCounterCheck, doorbellCheck, hostClockCheck],
  mutationNames: stopwatchMutationNames,
  waivers: { unreached, mutants },
};
