// SPDX-License-Identifier: MIT
import { EXIT } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

export const patch: CommandDefinition = {
  name: 'patch',
  summary: 'apply the patches and link device and driver into the source trees',
  description:
    "Extracts the sources if they are not there, applies patches/ to QEMU and Linux, and links the device's and the driver's sources into their trees. Builds nothing.",
  exits: BUILD_EXITS,
  examples: [['patch', 'then look at the trees in .stopwatch/src']],
  builds: () => true,
  async run(services) {
    const { PATCH_TARGETS } = await import('../build/graph.js');
    const { bringUpToDate, toolchain } = await import('../build/toolchain.js');
    await bringUpToDate(await toolchain(services), PATCH_TARGETS);
    return { exitCode: EXIT.passed, next: 'npx stopwatch update' };
  },
};
