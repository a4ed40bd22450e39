// SPDX-License-Identifier: MIT
import { InvalidArgumentError, Option } from 'commander';
import { type CommandDefinition, deviceOption, parseCount } from './define.js';

interface Own {
  readonly device?: string;
  readonly only?: RegExp;
  readonly every: number;
  readonly seed: number;
  readonly ops: number;
}

export const mutants: CommandDefinition<Own> = {
  name: 'mutants',
  summary: 'make small faults in a device, and check that each is detected',
  description:
    "Changes one thing at a time in a copy of the device's C source, builds a QEMU with it, and runs that through a bounded search, the checks of fuzz, and the cross-check of a boot. A fault that nothing detects shows a gap in the checks.",
  options: [
    deviceOption('the device; needed where several can be searched'),
    new Option('--only <PATTERN>', 'mutants whose name matches').argParser(parsePattern),
    new Option('--every <N>', 'one mutant in N').argParser(parseCount).default(1),
    new Option('--seed <N>', 'of the search').argParser(parseCount).default(1),
    new Option('--ops <N>', 'operations of the search for each').argParser(parseCount).default(20_000),
  ],
  exits: ['passed', 'testFailed', 'usage', 'host', 'interrupted'],
  examples: [
    ['mutants --device stopwatch', 'all of them'],
    ['mutants --device stopwatch --only "timer|migration"', 'some of them'],
  ],
  document: true,
  builds: () => true,
  async run(services, { device, only, every, seed, ops }) {
    const { checkMutants } = await import('../../lab/mutants.js');
    return checkMutants(services, { device, only, every, seed, operations: ops });
  },
};

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError('Expected a regular expression.');
  }
}
