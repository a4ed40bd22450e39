// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { type CommandDefinition, parseCount } from './define.js';

interface Own {
  readonly model?: true;
  readonly only?: RegExp;
  readonly every: number;
  readonly seed: number;
  readonly ops: number;
  readonly build?: string;
}

export const mutants: CommandDefinition<Own> = {
  name: 'mutants',
  summary: 'put small faults into the device, and see that each is found',
  description:
    "Changes one thing at a time in a copy of the C source of the device, builds a QEMU with it, and judges that: by a bounded search, by the checks of its trace and of the host's clock, and by the cross-check of a boot. A fault that nothing finds is a hole in the checks.",
  options: [
    new Option('--model', 'put the faults into the model instead, and let the device judge it'),
    new Option('--only <PATTERN>', 'mutants whose name matches').argParser(parsePattern),
    new Option('--every <N>', 'one mutant in N').argParser(parseCount).default(1),
    new Option('--seed <N>', 'of the search').argParser(parseCount).default(1),
    new Option('--ops <N>', 'operations of the search for each').argParser(parseCount).default(20_000),
    new Option('--build <DIR>', 'a build directory of QEMU; without it, ours is brought up to date first'),
  ],
  exits: ['passed', 'testFailed', 'usage', 'host', 'interrupted'],
  examples: [
    ['mutants', 'all of them'],
    ['mutants --only "timer|migration"', 'some of them'],
    ['mutants --model', 'faults in the model'],
  ],
  document: true,
  builds: ({ build }) => build === undefined,
  async run(services, { model = false, only, every, seed, ops, build }) {
    const { judgeMutants } = await import('../../lab/mutants.js');
    return judgeMutants(services, {
      model,
      only,
      every,
      seed,
      operations: ops,
      build: build === undefined ? undefined : resolve(build),
    });
  },
};

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError('Expected a regular expression.');
  }
}
