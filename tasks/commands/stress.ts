// SPDX-License-Identifier: MIT
import { InvalidArgumentError, Option } from 'commander';
import { ALL_EXITS, type CommandDefinition, deviceOption, variantOption } from './define.js';

interface Own {
  readonly device?: string;
  readonly seconds?: number;
  readonly rounds?: number;
}

export const stress: CommandDefinition<Own> = {
  name: 'stress',
  summary: 'stress a driver in the guest: many processes at once, loading and unloading',
  description:
    "Boots the VM with several processors, by the host's clock. There, several processes use the driver's files and the guest's own commands at once, with values of every kind, while the driver is unloaded and loaded. Each must get the errors that are its own; every accepted timeout must make its one interrupt; an unloaded driver must leave nothing behind; the kernel must not complain; and the cross-check judges every access. Builds what is stale first.",
  options: [
    deviceOption('the device; needed where several can be stressed'),
    new Option('--seconds <N>', 'how long the tests that can go on for ever take together (default: 20)')
      .argParser(parseLimit)
      .conflicts('rounds'),
    new Option('--rounds <N>', 'or how often they do what they do, however long it takes').argParser(
      parseLimit,
    ),
    variantOption(),
  ],
  exits: ALL_EXITS,
  examples: [
    ['stress', 'the verdict is in the exit code'],
    ['stress --seconds 600', 'for longer'],
  ],
  builds: () => true,
  async run(services, { device, seconds, rounds }) {
    const { stressDriver } = await import('../boot/stress.js');
    return stressDriver(services, { device, seconds, rounds });
  },
};

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1 to 999999.');
  return Number(text);
}
