// SPDX-License-Identifier: MIT
/** The device that this project builds: the one thing that the toolchain loads from here. */
import type { SearchableDevice } from '../../lab/search/device-kit.js';
import { Crosscheck, type ModelSettings, checkFile } from '../../vm/device-kit.js';
import { stopwatchDescription } from './description.js';
import { header } from './header.js';
import { stopwatchJudge } from './judge.js';

function judgeOf({ slackNs, properties }: ModelSettings) {
  const startAtBoot = properties['start_at_boot'];
  return stopwatchJudge({
    slackNs: BigInt(Math.round(slackNs)),
    ...(typeof startAtBoot === 'boolean' ? { startAtBoot } : {}),
  });
}

export const device: SearchableDevice = {
  description: stopwatchDescription,
  // The least that stopwatch_test.sh does; the test itself counts what it really did.
  testCauses: { commands: 20, interrupts: 1 },
  crosscheck: (how, options) => new Crosscheck(judgeOf(how), options),
  checkFile: (file, how, options) => checkFile(file, judgeOf(how), options),
  generated: [{ file: 'driver/stopwatch/stopwatch_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).stopwatchSearch,
};
