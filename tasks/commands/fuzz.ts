// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { type CommandDefinition, deviceOption, parseCount, variantOption } from './define.js';

interface Own {
  readonly device?: string;
  readonly ops?: number;
  readonly seconds?: number;
  readonly seed?: number;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly replay?: string;
}

export const fuzz: CommandDefinition<Own> = {
  name: 'fuzz',
  summary: 'search for a script on which a device and its reference model differ',
  description:
    "Drives a device through QEMU's qtest, without a guest, with random scripts and a clock that it sets itself, and compares everything it does with its reference model. Minimises any difference, in at most 20 s, and saves it as a script; run it again with --replay. If nothing differs, checks the device's own trace, and makes the checks that its search adds.",
  options: [
    deviceOption('the device; needed where several can be searched'),
    new Option('--ops <N>', 'end after this many operations').argParser(parseCount),
    new Option(
      '--seconds <S>',
      'end the search after this long (default: 60, without --ops); minimising a difference takes up to 20 s more, the checks after a search without one up to 20',
    ).argParser(parseSeconds),
    new Option('--seed <N>', 'the campaign; random if not given').argParser(parseSeed),
    new Option(
      '--shard <I/N>',
      'run only this part of the campaign; also from CI_NODE_INDEX and CI_NODE_TOTAL, or JOB_COMPLETION_INDEX',
    ).argParser(parseShard),
    variantOption(),
    new Option('--replay <FILE>', 'run only the script in this file'),
  ],
  exits: ['passed', 'testFailed', 'usage', 'differs', 'guest', 'host', 'interrupted'],
  examples: [
    ['fuzz --device stopwatch', 'search for a minute'],
    ['fuzz --device stopwatch --ops 10000000 --seed 1', 'ten million operations, the same every time'],
    ['fuzz --device stopwatch --replay test/regressions/NAME.json', 'one script again'],
  ],
  document: true,
  builds: () => true,
  async run(services, { device, ops, seconds, seed, shard, replay }) {
    const { fuzzDevice } = await import('../../lab/fuzz.js');
    return fuzzDevice(services, {
      device,
      operations: ops,
      seconds,
      seed,
      shard,
      replay: replay === undefined ? undefined : resolve(replay),
    });
  },
};

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
