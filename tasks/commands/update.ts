// SPDX-License-Identifier: MIT
import { EXIT } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition, variantOption, forceOption } from './define.js';

export const update: CommandDefinition = {
  name: 'update',
  summary: 'build everything that is not up to date; do not boot',
  description:
    'Builds QEMU, Linux, Busybox, the driver and the root file system, as far as they are not up to date: after an edit of device/, driver/, guest_fs/, a source tree or the configuration, just what depends on it. Boots nothing.',
  options: [variantOption(), forceOption()],
  exits: BUILD_EXITS,
  examples: [['update', 'after an edit in device/']],
  builds: () => true,
  async run(services) {
    const { updateTargets } = await import('../build/graph.js');
    const { bringUpToDate, toolchain } = await import('../build/toolchain.js');
    await bringUpToDate(await toolchain(services), updateTargets(services.loaded.config));
    return { exitCode: EXIT.passed, next: 'npx stopwatch run-test-quit' };
  },
};
