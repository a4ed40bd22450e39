// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp } from '../cli/help.js';

interface Own {
  readonly model: boolean;
  readonly only?: RegExp;
  readonly every: number;
  readonly seed: number;
  readonly ops: number;
  readonly build?: string;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError('Expected a regular expression.');
  }
}

export function addMutants(program: Command, app: App): void {
  const command = program
    .command('mutants')
    .summary('put small faults into the device, and see that each is found')
    .description(
      "Changes one thing at a time in a copy of the C source of the device, builds a QEMU with it, and judges that: by a bounded search, by the checks of its trace and of the host's clock, and by the cross-check of a boot. A fault that nothing finds is a hole in the checks.",
    )
    .option('--model', 'put the faults into the model instead, and let the device judge it', false)
    .addOption(new Option('--only <PATTERN>', 'mutants whose name matches').argParser(parsePattern))
    .addOption(new Option('--every <N>', 'one mutant in N').argParser(parseCount).default(1))
    .addOption(new Option('--seed <N>', 'of the search').argParser(parseCount).default(1))
    .addOption(
      new Option('--ops <N>', 'operations of the search for each').argParser(parseCount).default(20_000),
    )
    .option('--build <DIR>', 'a build directory of QEMU; without it, ours is brought up to date first')
    .action(async (own: Own) =>
      app.run({ builds: own.build === undefined, document: true }, command, async (services, steps) =>
        (await steps()).mutants(services, {
          model: own.model,
          only: own.only,
          every: own.every,
          seed: own.seed,
          operations: own.ops,
          build: own.build === undefined ? undefined : resolve(own.build),
        }),
      ),
    );
  addHelp(
    command,
    ['passed', 'testFailed', 'usage', 'host', 'interrupted'],
    [
      ['stopwatch mutants', 'all of them'],
      ['stopwatch mutants --only "timer|migration"', 'some of them'],
      ['stopwatch mutants --model', 'faults in the model'],
    ],
  );
}
