// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

interface Own {
  readonly ops?: number;
  readonly seconds?: number;
  readonly seed?: number;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly replay?: string;
  readonly qemu?: string;
  readonly raw: boolean;
}

function parseCount(text: string): number {
  const count = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new InvalidArgumentError('Expected a number of seconds above 0.');
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.');
}

function parseShard(text: string): { index: number; count: number } {
  const [, index = 0, count = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('Expected I/N with I from 1 to N, such as 2/4.');
}

export function addFuzz(program: Command, app: App): void {
  const command = program
    .command('fuzz')
    .summary('search for a script on which the device and the reference model differ')
    .description(
      "Drives the device without a guest through QEMU's qtest, by random scripts and a clock moved by hand, and compares everything it does with the reference model. What differs is made as short as it goes and written to a file that --replay does again. Where nothing differs, the device's own trace is judged, and the VM stopped again and again on the host's clock.",
    )
    .addOption(new Option('--ops <N>', 'end after this many operations').argParser(parseCount))
    .addOption(
      new Option('--seconds <S>', 'end after this long (default: 60, without --ops)').argParser(parseSeconds),
    )
    .addOption(new Option('--seed <N>', 'the campaign; random if not given').argParser(parseSeed))
    .addOption(
      new Option(
        '--shard <I/N>',
        'do only this part of the campaign; also from CI_NODE_INDEX and CI_NODE_TOTAL, or JOB_COMPLETION_INDEX',
      ).argParser(parseShard),
    )
    .addOption(variantOption())
    .option('--replay <FILE>', 'do the script in this file, and no other')
    .option('--qemu <PATH>', 'use this QEMU; without it, ours is brought up to date first')
    .option('--raw', 'only measure how fast one QEMU answers such commands: the limit', false)
    .action(async (own: Own) =>
      app.run({ builds: own.qemu === undefined, document: true }, command, async (services, steps) =>
        (await steps()).fuzz(services, {
          operations: own.ops,
          seconds: own.seconds,
          seed: own.seed,
          shard: own.shard,
          replay: own.replay === undefined ? undefined : resolve(own.replay),
          qemu: own.qemu === undefined ? undefined : resolve(own.qemu),
          raw: own.raw,
        }),
      ),
    );
  addHelp(
    command,
    ['passed', 'usage', 'differs', 'guest', 'host', 'interrupted'],
    [
      ['stopwatch fuzz', 'a minute of it'],
      ['stopwatch fuzz --ops 10000000 --seed 1', 'ten million operations, the same every time'],
      ['stopwatch fuzz --replay test/regressions/NAME.json', 'one script again'],
    ],
  );
}
