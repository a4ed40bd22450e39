// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp } from '../cli/help.js';

export function addPush(program: Command, app: App): void {
  const command = program
    .command('push [what...]')
    .summary('new files into the VM that `run --serve` started')
    .description(
      'Gives the VM that `run --serve` (or the shell of `dev`) started what differs from what it has: the guest’s scripts, and the driver, which is unloaded and loaded. Builds what is stale first. With names, only those: NAME_module for the module NAME, and the scripts without their .sh; a wrong name is answered with the right ones. What fails half-way leaves what the guest had before.',
    )
    .option('--test', 'then run the guest’s test there, and judge it by its KTAP results')
    .action(async (what: string[], own: { readonly test?: true }) =>
      app.run({ builds: false, document: false }, command, async (services, steps) =>
        (await steps()).push(services, { what, test: own.test === true }),
      ),
    );
  addHelp(
    command,
    ['passed', 'testFailed', 'usage', 'guest', 'host', 'interrupted'],
    [
      ['stopwatch push --test', 'all that is new, and the test'],
      ['stopwatch push', 'all that is new, and no test'],
    ],
  );
}
