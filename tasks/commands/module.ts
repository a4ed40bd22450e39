// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

export function addModule(program: Command, app: App): void {
  const command = program
    .command('module')
    .summary('build the driver as a module')
    .description('Builds the Linux driver as a loadable module (.ko), and says where it is.')
    .addOption(variantOption())
    .action(async () =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).module(services),
      ),
    );
  addHelp(command, BUILD_EXITS, [['stopwatch module', 'after an edit in driver/']]);
}
