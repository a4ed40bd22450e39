// SPDX-License-Identifier: MIT
/** The device that this project builds: the value that the toolchain loads. */
import type { SearchableDevice } from '../../lab/search/device-kit.js';
import { checkFile, Crosscheck, type ModelSettings } from '../../vm/device-kit.js';
import { stopwatchChecker } from './checker/checker.js';
import { header } from './contract/header.js';
import { stopwatchDescription } from './description.js';

function checkerFor({ slackNs, properties }: ModelSettings) {
  const startAtBoot = properties['start_at_boot'];
  return stopwatchChecker({
    slackNs: BigInt(Math.round(slackNs)),
    startAtBoot: typeof startAtBoot === 'boolean' ? startAtBoot : undefined,
  });
}

export const device: SearchableDevice = {
  description: stopwatchDescription,
  // The minimum of stopwatch_test.sh; the test itself counts what it did.
  testCauses: { commands: 20, interrupts: 1 },
  crosscheck: (how, options) => new Crosscheck(checkerFor(how), options),
  checkFile: (file, how, options) => checkFile(file, checkerFor(how), options),
  generated: [{ file: 'driver/stopwatch/stopwatch_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).stopwatchSearch,
};
