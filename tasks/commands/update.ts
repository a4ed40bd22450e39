// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

export function addUpdate(program: Command, app: App): void {
  const command = program
    .command('update')
    .summary('build everything that is not up to date; do not boot')
    .description(
      'Builds QEMU, Linux, Busybox, the driver and the root file system, as far as they are not up to date: after an edit of device/, driver/, guest_fs/, a source tree or the configuration, just what depends on it. Boots nothing.',
    )
    .addOption(variantOption())
    .action(async () =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).update(services),
      ),
    );
  addHelp(command, BUILD_EXITS, [['stopwatch update', 'after an edit in device/']]);
}
