// SPDX-License-Identifier: MIT
import { Argument } from 'commander';
import { EXIT } from '../../lib/errors.js';
import type { SourceName } from '../config/schema.js';
import { BUILD_EXITS, type CommandDefinition, forceOption } from './define.js';

export const prepare: CommandDefinition<object, [part: SourceName | undefined]> = {
  name: 'prepare',
  summary: 'fetch, verify and extract the sources, or one of them',
  description:
    'Fetches QEMU, Linux and Busybox from the first mirror that has them, checks them against their sha256 and extracts them. With a name, only that one.',
  args: [new Argument('[part]', 'only this one').choices(['qemu', 'linux', 'busybox'])],
  options: [forceOption()],
  exits: BUILD_EXITS,
  examples: [
    ['prepare', 'all three'],
    ['prepare qemu', 'only QEMU'],
    ['prepare --offline', 'only from what was downloaded before'],
  ],
  builds: () => true,
  async run(services, _, part) {
    const { prepareTargets } = await import('../build/graph.js');
    const { bringUpToDate, toolchain } = await import('../build/toolchain.js');
    await bringUpToDate(await toolchain(services), prepareTargets(part));
    return { exitCode: EXIT.passed, next: 'npx stopwatch patch' };
  },
};
