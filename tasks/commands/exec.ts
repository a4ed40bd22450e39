// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { StopwatchError } from '../../lib/errors.js';
import { type CommandDefinition, variantOption } from './define.js';

interface Own {
  readonly script?: string;
  readonly deterministic?: true;
  readonly quiet?: true;
  readonly crosscheck?: true;
  readonly attach?: true;
}

export const exec: CommandDefinition<Own, [command: readonly string[]]> = {
  name: 'exec',
  summary: 'boot, run one command in the guest, and end with its exit code',
  description:
    'Boots the VM and runs a command in the guest, by the host’s clock. The command has your standard input, output and error, byte by byte, and its exit code becomes that of `exec`. Stopwatch’s own messages go to standard error. Exit code 4 also means that the guest or QEMU died before the command ended; standard error says so then. Builds what is stale first.',
  args: [new Argument('[command...]', 'after --: the command and its arguments; with --script, arguments')],
  options: [
    variantOption(),
    new Option('--script <FILE>', 'run this file of the host: a script, or a static program for the guest'),
    new Option(
      '--deterministic',
      'count instructions instead of the host’s time, so that each run is the same; without standard input',
    ),
    new Option(
      '--crosscheck',
      'judge the devices against their reference models; exit code 3 if they differ',
    ),
    new Option(
      '--attach',
      'run the command in the VM that `run --serve` started; nothing is built or booted',
    ).conflicts(['deterministic', 'crosscheck', 'variant']),
    new Option('--quiet', 'nothing on standard error but what the command prints, and errors'),
  ],
  exits: ['usage', 'differs', 'guest', 'host', 'interrupted'],
  examples: [
    ['exec -- uname -a', 'the guest’s kernel'],
    ["exec -- sh -c 'dmesg | tail; ls /sys/bus/platform/devices'", 'a line of shell'],
    ['exec --script ./try.sh -- one two', 'a script of the host, with arguments'],
    ['exec -- cat /proc/device-tree/model >model', 'any bytes'],
    ['exec --attach -- dmesg', 'in the VM of `run --serve`, without a boot'],
  ],
  ownOutput: true,
  builds: ({ attach }) => attach !== true,
  async run(services, { script, deterministic = false, verbose = false, attach }, command) {
    if (script === undefined && command.length === 0) {
      throw new StopwatchError('bad-usage', 'There is nothing to run', {
        hint: 'Give a command after --, such as: npx stopwatch exec -- uname -a',
      });
    }
    const what = { command, script: script === undefined ? undefined : resolve(script) };
    if (attach) return (await import('../boot/attached-command.js')).attachedCommand(services, what);
    const { execCommand } = await import('../boot/exec.js');
    return execCommand(services, {
      ...what,
      deterministic,
      verbose,
    });
  },
};
