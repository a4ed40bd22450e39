// SPDX-License-Identifier: MIT
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

interface Own {
  readonly seconds?: number;
  readonly rounds?: number;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1 to 999999.');
  return Number(text);
}

export function addStress(program: Command, app: App): void {
  const command = program
    .command('stress')
    .summary('stress the driver in the guest: many processes at once, loading and unloading')
    .description(
      "Boots the VM with several processors. There, several processes use the driver's files and the guest's own commands at once, with values of every kind, while the driver is unloaded and loaded. Each must get the errors that are its own; every accepted timeout must make its one interrupt; an unloaded driver must leave nothing behind; the kernel must not complain; and the cross-check judges every access. Builds what is stale first.",
    )
    .addOption(
      new Option('--seconds <N>', 'how long the tests that can go on for ever take together (default: 20)')
        .argParser(parseCount)
        .conflicts('rounds'),
    )
    .addOption(
      new Option('--rounds <N>', 'or how often they do what they do, however long it takes').argParser(
        parseCount,
      ),
    )
    .addOption(variantOption())
    .action(async (own: Own) =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).stress(services, { seconds: own.seconds, rounds: own.rounds }),
      ),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch stress', 'the verdict is in the exit code'],
    ['stopwatch stress --seconds 600', 'for longer'],
  ]);
}
