// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../app.js';
import { addHelp, BUILD_EXITS } from '../help.js';

export function addUpdatePatches(program: Command, app: App): void {
  // Both spellings, the second one not in the list of commands.
  for (const name of ['update_patches', 'update-patches']) {
    const command = program
      .command(name, { hidden: name !== 'update_patches' })
      .summary('make patches/ again from what was changed in the QEMU and Linux trees')
      .description(
        'Compares the QEMU and Linux trees with their releases and writes what was changed by hand to patches/: a file that a patch touches already goes into that patch, whose text stays; all others go into one new patch for each tree. Sources that are linked into the trees are not in the patches. With no change, no file is written.',
      )
      .action(async () =>
        app.run({ builds: true, document: false }, command, async (services, steps) =>
          (await steps()).updatePatches(services),
        ),
      );
    addHelp(command, BUILD_EXITS, [[`stopwatch ${name}`, 'after an edit in .stopwatch/src/qemu-…']]);
  }
}
