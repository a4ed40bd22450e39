// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';

export function addInit(program: Command, app: App): void {
  const command = program
    .command('init')
    .argument('<dir>', 'directory of the project: empty, or not there yet')
    .summary('make a project of your own, with a device under your name')
    .description(
      'Makes a project that depends on this package and has its own device/, driver/, guest_fs/, patches/ and configurations: a copy of the device in the box, under another name throughout (QEMU type, compatible string, module, kernel parameter, files, symbols). Every command works there as it does here.',
    )
    .option(
      '--name <NAME>',
      'name of the device, a C identifier in lower case (default: that of the directory)',
    )
    .action(async (dir: string, own: { readonly name?: string }) =>
      app.run({ builds: false, document: true }, command, async (services, steps) =>
        (await steps()).init(services, { directory: resolve(dir), name: own.name }),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch init ../frobnicator', 'then npm install and npx stopwatch all there'],
    ['stopwatch init . --name my_device', 'in a directory that is empty'],
  ]);
}
