// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import type { Result, Services } from '../config/services.js';
import {
  ALL_EXITS,
  type CommandDefinition,
  forceOption,
  parseCount,
  parseNames,
  variantOption,
} from './define.js';

export interface TestOptions {
  readonly record?: true;
  readonly only?: readonly string[];
  readonly repeat?: number;
  readonly seed?: number;
}

export const TEST_OPTIONS = (): readonly Option[] => [
  variantOption(),
  forceOption(),
  new Option(
    '--only <NAMES>',
    'only these tests, separated by commas; `*` and `?` stand for anything',
  ).argParser((text) => parseNames(text, 'stopwatch,lap/*')),
  new Option(
    '--repeat <N>',
    'up to N runs, until the first one that does not pass; each has another seed',
  ).argParser(parseCount),
  new Option('--seed <N>', 'of random numbers, also for the tests, as STOPWATCH_SEED').argParser(parseCount),
  new Option(
    '--bisect',
    'for `git bisect run`: exit code 125, which skips a revision, where it cannot be built',
  ),
  new Option('--record', 'keep what `replay` needs to run the very same execution again, beside the report'),
];

export const runTestQuit: CommandDefinition<TestOptions> = {
  name: 'run-test-quit',
  summary: 'boot, test the devices, power off, and judge the run',
  description:
    "Boots the VM, runs the guest's tests, powers off, and judges every access of the devices against the reference models. Deterministic, and the guest's sleeps cost nothing, unless --realtime is given. Builds what is stale first.",
  options: TEST_OPTIONS(),
  exits: ALL_EXITS,
  examples: [
    ['run-test-quit', 'the verdict is in the exit code'],
    ['run-test-quit --only stopwatch', 'one test; `test --list` says which there are'],
    ['run-test-quit --realtime --repeat 20', "against the host's clock, until it fails"],
    ['run-test-quit --driver builtin', 'with the driver in the kernel image'],
    ['run-test-quit --bisect', 'for `git bisect run`'],
    ['run-test-quit --record', 'then: stopwatch replay'],
  ],
  builds: () => true,
  run: async (services, options) => testsRun(services, 'run-test-quit', options),
};

/** Boots and tests; `command`: as it was typed. */
export async function testsRun(
  services: Services,
  command: string,
  { record, only, repeat, seed = repeat === undefined ? undefined : 1 }: TestOptions,
): Promise<Result> {
  const { testRun } = await import('../boot/test-run.js');
  const args = [
    command,
    ...(only === undefined ? [] : ['--only', only.join(',')]),
    ...(repeat === undefined ? [] : ['--repeat', String(repeat)]),
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
    ...(record ? ['--record'] : []),
  ];
  const { config } = services.loaded;
  return testRun(services, {
    guest: 'test_and_quit',
    args,
    record: record === true,
    config,
    only,
    repeat,
    seed,
  });
}
