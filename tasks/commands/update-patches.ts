// SPDX-License-Identifier: MIT
import { BUILD_EXITS, type CommandDefinition } from './define.js';

export const updatePatches: CommandDefinition = {
  name: 'update_patches',
  alias: 'update-patches',
  summary: 'make patches/ and guest_fs/ again from what was changed in the trees and in the guest',
  description:
    'Writes what was changed by hand in the QEMU and Linux trees to patches/, as git format-patch does: what is not committed goes into the patch that touches the file already, whose text stays, all other files into one new patch for each tree; a commit of yours becomes a patch. Sources that are linked into the trees are not in the patches. What was changed in the guest of `run --rw` in a file that comes from guest_fs/ is written there; new files are named, with how to keep them; what was changed on both sides is shown, and nothing is written. With no change, no file is written.',
  exits: BUILD_EXITS,
  examples: [['update_patches', 'after an edit in .stopwatch/src/qemu-…']],
  builds: () => true,
  run: async (services) => (await import('./patches/update-patches.js')).writePatches(services),
};
