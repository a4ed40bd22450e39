// SPDX-License-Identifier: MIT
/** The stopwatch: the value that the toolchain loads. */
import type { SearchableDevice } from '../../lab/search/device-kit.js';
import type { ModelSettings } from '../../vm/device-kit.js';
import { stopwatchChecker } from './checker/checker.js';
import { header } from './contract/header.js';
import { stopwatchDescription } from './description.js';

function checker({ slackNs, properties }: ModelSettings) {
  const startAtBoot = properties['start_at_boot'];
  return stopwatchChecker({
    slackNs: BigInt(Math.round(slackNs)),
    startAtBoot: typeof startAtBoot === 'boolean' ? startAtBoot : undefined,
  });
}

export const device: SearchableDevice = {
  description: stopwatchDescription,
  checker,
  generated: [{ file: 'driver/stopwatch/stopwatch_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).stopwatchSearch,
};
