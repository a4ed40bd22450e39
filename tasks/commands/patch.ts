// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';

export function addPatch(program: Command, app: App): void {
  const command = program
    .command('patch')
    .summary('apply the patches and link device and driver into the source trees')
    .description(
      "Extracts the sources if they are not there, applies patches/ to QEMU and Linux, and links the device's and the driver's sources into their trees. Builds nothing.",
    )
    .action(async () =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).patch(services),
      ),
    );
  addHelp(command, BUILD_EXITS, [['stopwatch patch', 'then look at the trees in .stopwatch/src']]);
}
