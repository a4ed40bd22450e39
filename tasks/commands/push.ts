// SPDX-License-Identifier: MIT
import { Argument, Option } from 'commander';
import type { CommandDefinition } from './define.js';

export const push: CommandDefinition<{ readonly test?: true }, [what: readonly string[]]> = {
  name: 'push',
  summary: 'new files into the VM that `run --serve` started',
  description:
    'Gives the VM that `run --serve` (or the shell of `dev`) started what differs from what it has: the guest’s scripts, and the driver, which is unloaded and loaded. Builds what is stale first. With names, only those: NAME_module for the module NAME, and the scripts without their .sh; a wrong name is answered with the right ones. What fails half-way leaves what the guest had before.',
  args: [new Argument('[what...]', 'names of what is pushed')],
  options: [new Option('--test', 'then run the guest’s test there, and judge it by its KTAP results')],
  exits: ['passed', 'testFailed', 'usage', 'guest', 'host', 'interrupted'],
  examples: [
    ['push --test', 'all that is new, and the test'],
    ['push', 'all that is new, and no test'],
  ],
  async run(services, { test = false }, what) {
    const { push: pushFiles } = await import('../boot/push.js');
    return pushFiles(services, { what, test });
  },
};
