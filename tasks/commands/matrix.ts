// SPDX-License-Identifier: MIT
import { InvalidArgumentError, Option } from 'commander';
import { ALL_EXITS, type CommandDefinition, parseNames, variantOption } from './define.js';

interface Own {
  readonly linux?: readonly string[];
  readonly qemu?: readonly string[];
  readonly only?: readonly string[];
  readonly shard?: Shard;
  readonly failFast?: true;
}

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

const versions = (flag: string, what: string): Option =>
  new Option(
    `--${flag} <VERSIONS>`,
    `releases of ${what}, separated by commas (default: the project's)`,
  ).argParser((text) => parseNames(text, '6.12.94,6.18.5'));

export const matrix: CommandDefinition<Own> = {
  name: 'matrix',
  summary: 'test with several releases of Linux and QEMU, each with each',
  description:
    "Runs the guest's tests once for each pair of a Linux and a QEMU release, and ends with a table of verdicts. A source tree or a build that several pairs need is made once, beside the project's own. Everything that is finished stays: the same command goes on from there. The sha256 of a release is in `releases` of the configuration. The exit code is that of the first pair that did not pass.",
  options: [
    versions('linux', 'Linux'),
    versions('qemu', 'QEMU'),
    new Option('--only <NAMES>', 'only these tests, as for `test`').argParser((text) =>
      parseNames(text, 'stopwatch'),
    ),
    new Option('--shard <I/N>', 'only the I-th of N parts of the pairs').argParser(parseShard),
    new Option('--keep-going', 'go on after a pair that does not pass (the default)').conflicts('failFast'),
    new Option('--fail-fast', 'end after the first pair that does not pass'),
    variantOption(),
  ],
  exits: ALL_EXITS,
  examples: [
    ['matrix --linux 6.12.94,6.18.5 --qemu 10.0.2,10.2.2', 'four pairs'],
    ['matrix --linux 6.12.94,6.12.101 --shard 1/2', 'the first half, for one of two CI jobs'],
  ],
  builds: () => true,
  async run(services, options) {
    const { testMatrix } = await import('./matrix/matrix.js');
    return testMatrix(services, options);
  },
};

function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new InvalidArgumentError('Expected a part and how many there are, such as 1/3.');
}
