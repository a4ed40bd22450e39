// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { BUILD_EXITS, type CommandDefinition } from './define.js';
import { type Template, TEMPLATES } from './init/template.js';

interface Own {
  readonly name?: string;
  readonly template: Template;
}

export const init: CommandDefinition<Own, [directory: string]> = {
  name: 'init',
  summary: 'make a project of your own, with a device under your name',
  description:
    'Makes a project that depends on this package and has a device of its own: the smallest one that can be built, booted, tested and checked, with one register and one property. With --template stopwatch, a copy of the stopwatch under another name throughout (QEMU type, compatible string, module, files, symbols). The commands work there as they do here; `fuzz`, `mutants`, `stress`, `bench` and `kunit` once the device has what they need, as that of --template stopwatch has.',
  args: [new Argument('<dir>', 'directory of the project: empty, or not there yet')],
  options: [
    new Option(
      '--name <NAME>',
      'name of the device, a C identifier in lower case (default: that of the directory)',
    ),
    new Option('--template <KIND>', 'the device to start from').choices(TEMPLATES).default('minimal'),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['init ../dimmer', 'then npm install and npx stopwatch all there'],
    ['init . --name my_device', 'in a directory that is empty'],
    ['init ../frobnicator --template stopwatch', 'with memory, an interrupt, a timeout, and a search'],
  ],
  document: true,
  async run(services, { name, template }, directory) {
    const { initProject } = await import('./init/init.js');
    const options = { directory: resolve(directory), name, template };
    return initProject(services.loaded.paths, options, services.signal);
  },
};
