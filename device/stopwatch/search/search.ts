// SPDX-License-Identifier: MIT
/** Everything that `fuzz` and `mutants` ask of the stopwatch. */
import type { DeviceSearch } from '../../../lab/search/device-kit.js';
import { judgeMutant } from './judge-mutant.js';
import { MODEL_SOURCES, modelMutants } from './model-mutants.js';
import { stopwatchMutants } from './mutants.js';
import { readScript } from './regressions.js';
import { operationWords, scriptLines, tell, toldLines } from './report.js';
import { formatScript, type Operation, type Script } from './script.js';
import { stopCheck } from './stop-check.js';
import { stopwatchTarget } from './target.js';
import { traceCheck, traceOf } from './trace-check.js';

export const stopwatchSearch: DeviceSearch<Operation, Script> = {
  target: stopwatchTarget,
  readScript,
  formatScript,
  tell,
  scriptLines,
  toldLines,
  operationWords,
  traceCheck,
  traceOf,
  hostClockCheck: stopCheck,
  mutants: stopwatchMutants,
  model: { sources: MODEL_SOURCES, mutants: modelMutants },
  judgeMutant,
};
