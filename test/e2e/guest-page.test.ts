// SPDX-License-Identifier: MIT
/** docs/guest.md: every command on it, in its order, in a project that has the files on it. */
import { test } from 'vitest';
import { laboratory } from './laboratory.js';
import { type Printed, runCommandsOf } from './page-commands.js';

const { project } = laboratory();

/** What some of the commands must print. */
const EXPECTED: Printed = [
  [/-- uname -r$/, /^6\.\d+\.\d+$/m],
  [/tr a-z A-Z$/, /^HELLO$/m],
  [/grep stopwatch'$/, /^[0-9a-f]+\.stopwatch$/m],
  [/--script/, /^2 arguments, process \d+$/m],
  [/-- date$/, /^Sat Jan {2}1 00:00:\d\d UTC 2000$/m],
  [/--list$/, /^stopwatch +\S+stopwatch_test\.sh +commands=20 interrupts=1$/m],
  [/--repeat 2$/, /^Repeated +2 runs passed, seeds 1 to 2$/m],
  [/status$/, /linux:configure/],
  [/-- hello$/, /^hello from the guest$/m],
  [/grep IKCONFIG$/, /^CONFIG_IKCONFIG_PROC=y$/m],
  [/-- cal 1 2026$/, /January 2026/],
  [/--force guest:initramfs$/, /initramfs/],
];

test('every command on it does what it says', async () => {
  await runCommandsOf('docs/guest.md', project, { printed: EXPECTED, made: ['hello', 'programs.tar'] });
});
