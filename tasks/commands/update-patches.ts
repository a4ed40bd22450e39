// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';

export function addUpdatePatches(program: Command, app: App): void {
  // Both spellings, the second one not in the list of commands.
  for (const name of ['update_patches', 'update-patches']) {
    const command = program
      .command(name, { hidden: name !== 'update_patches' })
      .summary('make patches/ and guest_fs/ again from what was changed in the trees and in the guest')
      .description(
        'Compares the QEMU and Linux trees with their releases and writes what was changed by hand to patches/: a file that a patch touches already goes into that patch, whose text stays; all others go into one new patch for each tree. Sources that are linked into the trees are not in the patches. What was changed in the guest of `run --rw` in a file that comes from guest_fs/ is written there; new files are named, with how to keep them; what was changed on both sides is shown, and nothing is written. With no change, no file is written.',
      )
      .action(async () =>
        app.run({ builds: true, document: false }, command, async (services, steps) =>
          (await steps()).updatePatches(services),
        ),
      );
    addHelp(command, BUILD_EXITS, [[`stopwatch ${name}`, 'after an edit in .stopwatch/src/qemu-…']]);
  }
}
