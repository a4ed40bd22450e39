// SPDX-License-Identifier: MIT
/** The device that this project builds: the one thing that the toolchain loads from here. */
import { Crosscheck, type Device, type JudgedAs, judgeFile } from '../../vm/device-kit.js';
import { stopwatchDescription } from './description.js';
import { header } from './header.js';
import { stopwatchJudge } from './judge.js';

function judgeOf({ slackNs, properties }: JudgedAs) {
  const startAtBoot = properties['start_at_boot'];
  return stopwatchJudge({
    slackNs: BigInt(Math.round(slackNs)),
    ...(typeof startAtBoot === 'boolean' ? { startAtBoot } : {}),
  });
}

export const device: Device = {
  description: stopwatchDescription,
  // The least that stopwatch_test.sh does; the test itself counts what it really did.
  testCauses: { commands: 20, interrupts: 1 },
  crosscheck: (how, options) => new Crosscheck(judgeOf(how), options),
  judgeFile: (file, how, options) => judgeFile(file, judgeOf(how), options),
  generated: [{ file: 'driver/stopwatch/stopwatch_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).stopwatchSearch,
};
