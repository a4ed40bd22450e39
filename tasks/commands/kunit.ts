// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { CommandDefinition } from './define.js';

interface Own {
  readonly filter?: string;
  readonly kunitconfig?: string;
}

export const kunit: CommandDefinition<Own> = {
  name: 'kunit',
  summary: 'boot a kernel with KUnit, and judge its tests',
  description:
    'Builds a kernel with KUnit beside the usual one, boots it, and judges the results of all suites. A driver’s suite is part of its module. Suites of the kernel itself come with --kunitconfig.',
  options: [
    new Option(
      '--filter <GLOB>',
      'only these suites, or tests as SUITE.TEST; `*` and `?` stand for anything',
    ),
    new Option('--kunitconfig <FILE>', 'further kernel options, such as a .kunitconfig of the kernel'),
  ],
  exits: ['passed', 'testFailed', 'usage', 'guest', 'host', 'interrupted'],
  examples: [
    ['kunit', 'the suites of the drivers'],
    ["kunit --filter 'stopwatch.*lap*'", 'some tests of one suite'],
    ['kunit --kunitconfig list.config', 'also what its lines add, such as CONFIG_LIST_KUNIT_TEST=y'],
  ],
  builds: () => true,
  async run(services, { filter, kunitconfig, verbose = false }) {
    const { kunitRun } = await import('../boot/kunit.js');
    return kunitRun(services, {
      filter,
      verbose,
      kunitconfig: kunitconfig === undefined ? undefined : resolve(kunitconfig),
    });
  },
};
