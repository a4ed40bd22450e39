// SPDX-License-Identifier: MIT
import { BUILD_EXITS, type CommandDefinition } from './define.js';

export const updatePatches: CommandDefinition = {
  name: 'update_patches',
  alias: 'update-patches',
  summary: 'make patches/ and guest_fs/ again from what was changed in the trees and in the guest',
  description:
    'Compares the QEMU and Linux trees with their releases and writes what was changed by hand to patches/: a file that a patch touches already goes into that patch, whose text stays; all others go into one new patch for each tree. Sources that are linked into the trees are not in the patches. What was changed in the guest of `run --rw` in a file that comes from guest_fs/ is written there; new files are named, with how to keep them; what was changed on both sides is shown, and nothing is written. With no change, no file is written.',
  exits: BUILD_EXITS,
  examples: [['update_patches', 'after an edit in .stopwatch/src/qemu-…']],
  builds: () => true,
  run: async (services) => (await import('./patches/update-patches.js')).updatePatches(services),
};
