// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { StopwatchError } from '../../lib/errors.js';
import {
  ALL_EXITS,
  type CommandDefinition,
  deviceOption,
  gdbOptions,
  gdbRequest,
  variantOption,
} from './define.js';

interface Own {
  readonly device?: string;
  readonly nodev?: true;
  readonly rw?: true;
  readonly dumpDtb?: true | string;
  readonly gdb?: true;
  readonly gdbPort?: number;
  readonly gdbQemu?: true;
  readonly serve?: true;
}

export const run: CommandDefinition<Own, [gdbArguments: readonly string[]]> = {
  name: 'run',
  summary: 'boot the VM with a shell on its serial console',
  description:
    "Boots the VM and connects this terminal to its serial console. Builds what is stale first. The guest knows the terminal's type and size; after a change of the size, type `resize` there. Leave it with `poweroff` in the guest, or with `exit`, whose exit code it gives.",
  args: [new Argument('[gdb-arguments...]', 'for gdb, with --gdb or --gdb-qemu, after --')],
  options: [
    variantOption(),
    new Option('--nodev', 'without the devices'),
    new Option('--rw', 'with a root file system (ext4) that keeps changes'),
    new Option(
      '--dump-dtb [FILE]',
      "write the machine's device tree as FILE (.dtb) and as .dts, show the devices' nodes, and do not boot",
    ),
    new Option(
      '--serve',
      'accept `push` and `exec --attach` from other terminals, and network_update.sh in the guest; without a terminal the VM does nothing else',
    ).conflicts(['dumpDtb', 'gdbQemu']),
    new Option('--crosscheck', 'judge the devices against their reference models while they run').conflicts(
      'nodev',
    ),
    ...gdbOptions('stop before the first instruction').map((option) => option.conflicts('dumpDtb')),
    new Option(
      '--gdb-qemu',
      "run QEMU itself under gdb in this terminal, stopped when the guest first writes to a device; the guest's console is a pseudo-terminal",
    ).conflicts(['gdb', 'gdbPort', 'dumpDtb', 'crosscheck', 'nodev']),
    deviceOption('with --gdb-qemu: stop only in this device'),
  ],
  exits: ALL_EXITS,
  examples: [
    ['run', 'a shell; what guest_fs/ has are commands there'],
    ['run --rw', 'changes are there the next time'],
    ['run --serve', 'then stopwatch push, in another terminal'],
    ['run --gdb --variant debug', 'then the command that it prints, in another terminal'],
    ['run --gdb-qemu -- -x FILE', 'gdb on QEMU, with commands from a file'],
    ['run --dump-dtb virt.dtb', 'virt.dtb and virt.dts'],
  ],
  builds: () => true,
  tools: ({ gdbQemu, ...flags }) => [
    ...(gdbQemu ? (['gdb'] as const) : []),
    ...(gdbRequest(flags) === undefined ? [] : (['guests-gdb'] as const)),
  ],
  async run(
    services,
    { device, nodev = false, rw = false, gdbQemu = false, serve = false, dumpDtb, ...flags },
    words,
  ) {
    const gdb = gdbRequest(flags);
    if (words.length > 0 && gdb === undefined && !gdbQemu) {
      throw new StopwatchError('bad-usage', `'${words[0]}' is for gdb: give --gdb or --gdb-qemu too`);
    }
    if (device !== undefined && !gdbQemu)
      throw new StopwatchError('bad-usage', '--device is for --gdb-qemu: the VM has all of its devices');
    const { interactiveRun } = await import('../boot/interactive-run.js');
    return interactiveRun(services, {
      device,
      nodev,
      rw,
      gdb,
      gdbQemu,
      gdbArguments: words,
      serve,
      dumpDtb: typeof dumpDtb === 'string' ? resolve(dumpDtb) : dumpDtb && '',
    });
  },
};
