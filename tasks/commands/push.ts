// SPDX-License-Identifier: MIT
import { Argument, Option } from 'commander';
import { type CommandDefinition, deviceOption } from './define.js';

interface Own {
  readonly device?: string;
  readonly test?: true;
}

export const push: CommandDefinition<Own, [what: readonly string[]]> = {
  name: 'push',
  summary: 'new files into the VM that `run --serve` started',
  description:
    'Gives the VM that `run --serve` (or the shell of `dev`) started what differs from what it has: the guest’s scripts, and the drivers, which are unloaded and loaded. Builds what is stale first. With names, only those: NAME_module for the module NAME, and the scripts without their .sh; a wrong name is answered with the right ones. What fails half-way leaves what the guest had before.',
  args: [new Argument('[what...]', 'names of what is pushed')],
  options: [
    deviceOption('only the driver and the scripts of this device'),
    new Option('--test', 'then run the guest’s tests there, and judge them by their KTAP results'),
  ],
  exits: ['passed', 'testFailed', 'usage', 'guest', 'host', 'interrupted'],
  examples: [
    ['push --test', 'all that is new, and the tests'],
    ['push', 'all that is new, and no test'],
  ],
  async run(services, { device, test = false }, what) {
    const { pushFiles } = await import('../boot/push.js');
    return pushFiles(services, { device, what, test });
  },
};
