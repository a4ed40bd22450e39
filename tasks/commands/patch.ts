// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { EXIT } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition, forceOption } from './define.js';

export const patch: CommandDefinition<{ readonly undo?: true }> = {
  name: 'patch',
  summary: 'apply the patches and link device and driver into the source trees',
  description:
    "Extracts the sources if they are not there, applies patches/ to QEMU and Linux, and links the device's and the driver's sources into their trees. Each tree is a git repository: the release is its first commit, each patch is one more, and changes by hand stay on top of them. Builds nothing.",
  options: [
    forceOption(),
    new Option('--undo', 'take patches and links out of the trees again; what was changed by hand stays'),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['patch', 'then look at the trees in .stopwatch/src: git log, git diff'],
    ['patch --undo --source linux=../linux --source-in-place', 'leave a tree of your own as it was'],
  ],
  builds: () => true,
  async run(services, { undo }) {
    if (undo) return (await import('./patches/undo.js')).undoPatches(services);
    const { PATCH_TARGETS } = await import('../build/graph.js');
    const { bringUpToDate, toolchain } = await import('../build/toolchain.js');
    await bringUpToDate(await toolchain(services), PATCH_TARGETS);
    return { exitCode: EXIT.passed, next: 'npx stopwatch update' };
  },
};
