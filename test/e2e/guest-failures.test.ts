// SPDX-License-Identifier: MIT
/** Each way in which the guest or QEMU can fail is recognised, reported and ended. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GuestOutcome } from '../../vm/types.js';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { type Ended, left } from './project.js';

undoEdits();

const { project } = laboratory();

const INIT = 'guest_fs/base/init.sh';
const TEST = 'guest_fs/stopwatch/stopwatch_test.sh';
const FIRST_MOUNT = 'mount_at proc /proc\n';

interface Case {
  readonly what: string;
  readonly edit?: readonly [file: string, old: string, replacement: string];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly outcome: GuestOutcome;
  readonly reason: RegExp;
  /** Among the last lines of the console. */
  readonly last: RegExp;
  /** Shown on the terminal; the last line of the console if absent. */
  readonly shown?: string;
}

const cases: readonly Case[] = [
  {
    what: 'a test that fails',
    edit: [
      TEST,
      "equal 'text, later' \"$text\" '0.00 seconds'",
      "equal 'text, later' \"$text\" '1.00 seconds'",
    ],
    code: 1,
    outcome: 'failed',
    reason: /^'stopwatch: resetting' failed$/,
    last: /^stopwatch: result: stopwatch\/stopwatch_dev pass 0$/m,
    shown: "text, later: expected '1.00 seconds', got '0.00 seconds'\n",
  },
  {
    what: 'a test that ends half-way',
    edit: [TEST, 'test_starting() {\n', 'test_starting() {\n\texit 1\n'],
    code: 1,
    outcome: 'failed',
    reason: /planned 16 tests, got 5/,
    last: /^stopwatch: result: stopwatch\/stopwatch_dev pass 0$/m,
    // Its own, not those of the test that ran after it.
    shown: '    ok 5 resetting\n',
  },
  {
    what: 'a kernel that finds no init and no root, and panics',
    env: { STOPWATCH_VM_APPEND: 'rdinit=/none' },
    code: 4,
    outcome: 'panicked',
    reason: /Kernel panic - not syncing: /,
    last: /Kernel panic - not syncing: /,
  },
  {
    what: 'an init that ends, and the kernel panics',
    edit: [INIT, FIRST_MOUNT, `echo 'init gives up'; exit 7\n${FIRST_MOUNT}`],
    code: 4,
    outcome: 'panicked',
    reason: /Attempted to kill init/,
    last: /^init gives up$/m,
  },
  {
    what: 'an init that sleeps for ever',
    edit: [INIT, FIRST_MOUNT, `echo 'init sleeps'; while :; do sleep 1000; done\n${FIRST_MOUNT}`],
    code: 4,
    outcome: 'hung',
    reason:
      /nothing was printed for \d+ s, before the test of stopwatch began; the last line was 'init sleeps'/,
    last: /^init sleeps$/m,
  },
  {
    what: 'an init that is busy for ever',
    edit: [INIT, FIRST_MOUNT, `echo 'init spins'; while :; do :; done\n${FIRST_MOUNT}`],
    code: 4,
    outcome: 'hung',
    reason: /the last line was 'init spins'/,
    last: /^init spins$/m,
  },
  {
    what: 'a test that hangs',
    edit: [TEST, 'test_starting() {\n', 'test_starting() {\n\twhile :; do :; done\n'],
    code: 4,
    outcome: 'hung',
    reason: /after \d+ of \d+ test results of stopwatch, the last being 'resetting'/,
    last: /^ok \d+ resetting$/m,
  },
  {
    what: 'a guest that powers off before its test',
    edit: [INIT, FIRST_MOUNT, `echo 'good night'; poweroff -f\n${FIRST_MOUNT}`],
    code: 4,
    outcome: 'exited-early',
    reason: /the guest powered off before the test of stopwatch began/,
    last: /^good night$/m,
  },
];

/** What must hold for each of them. */
async function expectReported(
  ended: Ended,
  { code, outcome, reason, last, shown }: Omit<Case, 'what'>,
): Promise<void> {
  const said = ended.out + ended.err;
  expect(ended.code, said).toBe(code);
  const { result } = project.lastReport();
  expect(result.exitCode).toBe(code);
  expect(result.guest.outcome).toBe(outcome);
  expect(result.guest.reason).toMatch(reason);
  const lastLines = result.guest.lastLines.join('\n');
  expect(lastLines).toMatch(last);
  expect(said).toContain(result.guest.reason);
  expect(said).toContain(shown ?? result.guest.lastLines.at(-1));
  expect(said).toContain(project.lastRun('console.log'));
  const junit = readFileSync(project.lastRun('junit.xml'), 'utf8');
  expect(junit).toMatch(code === 1 ? /<failure/ : /<error/);
  expect(await left(project)).toEqual([]);
}

test.each(cases)('$what: exit code $code', async (one) => {
  if (one.edit) edit(project.package, ...one.edit);
  await expectReported(await project.stopwatch(['all'], one.env ? { env: one.env } : {}), one);
});

test('QEMU killed from outside: exit code 4', async () => {
  let killed = false;
  const kill = (soFar: string): void => {
    if (killed || !soFar.includes('KTAP version 1')) return;
    for (const line of project.alive()) {
      const [pid, program = ''] = line.split(' ');
      if (!program.endsWith('/qemu-system-aarch64')) continue;
      killed = true;
      process.kill(Number(pid), 'SIGKILL');
    }
  };
  // The host's clock: the test then takes as long as it sleeps.
  const ended = await project.stopwatch(['run-test-quit', '--realtime', '--verbose'], { onOutput: kill });
  expect(killed).toBe(true);
  await expectReported(ended, {
    code: 4,
    outcome: 'qemu-died',
    reason: /QEMU ended with signal SIGKILL/,
    last: /KTAP version 1/,
  });
});

test('a QEMU that does not take its arguments: exit code 4, in its own words', async () => {
  const env = { STOPWATCH_VM_QEMU_ARGS: '-no-such-option' };
  const { err } = await project.exits(4, ['all'], { env });
  expect(err).toContain('-no-such-option: invalid option');
});

test('the guest as it was: passes again', async () => {
  await project.passes(['all']);
});
