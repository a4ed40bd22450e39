// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

export const init: CommandDefinition<{ readonly name?: string }, [directory: string]> = {
  name: 'init',
  summary: 'make a project of your own, with a device under your name',
  description:
    'Makes a project that depends on this package and has its own device/, driver/, guest_fs/, patches/ and configurations: a copy of the device in the box, under another name throughout (QEMU type, compatible string, module, kernel parameter, files, symbols). Every command works there as it does here.',
  args: [new Argument('<dir>', 'directory of the project: empty, or not there yet')],
  options: [
    new Option(
      '--name <NAME>',
      'name of the device, a C identifier in lower case (default: that of the directory)',
    ),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['init ../frobnicator', 'then npm install and npx stopwatch all there'],
    ['init . --name my_device', 'in a directory that is empty'],
  ],
  document: true,
  async run(services, { name }, directory) {
    const { initProject } = await import('./init/init.js');
    return initProject(services.loaded.paths, { directory: resolve(directory), name }, services.signal);
  },
};
