// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import { parsePort, variantOption } from '../cli/options.js';

interface Own {
  readonly nodev?: true;
  readonly rw?: true;
  readonly dumpDtb?: true | string;
  readonly gdb?: number;
  readonly gdbQemu?: true;
  readonly serve?: true;
}

export function addRun(program: Command, app: App): void {
  const command = program
    .command('run')
    .summary('boot the VM with a shell on its serial console')
    .description(
      'Boots the VM and connects this terminal to its serial console. Builds what is stale first. Leave it with `poweroff` in the guest.',
    )
    .addOption(variantOption())
    .option('--nodev', 'without the device')
    .option('--rw', 'with a root file system (ext4) that keeps changes')
    .option(
      '--dump-dtb [FILE]',
      "write the machine's device tree as FILE (.dtb) and as .dts, show the device's node, and do not boot",
    )
    .addOption(
      new Option(
        '--serve',
        'take new files while it runs: from `push`, and as network_update.sh in the guest asks for them; without a terminal, for nothing else',
      ).conflicts(['dumpDtb', 'gdbQemu']),
    )
    .option('--crosscheck', 'judge the device against the reference model while it runs')
    .addOption(
      new Option(
        '--gdb [PORT]',
        "stop before the first instruction, wait at QEMU's gdb stub, and say the command that attaches",
      )
        .preset('1234')
        .argParser(parsePort)
        .conflicts('dumpDtb'),
    )
    .addOption(
      new Option(
        '--gdb-qemu',
        "run QEMU itself under gdb in this terminal, stopped when the guest first writes to the device; the guest's console is a pseudo-terminal",
      ).conflicts(['gdb', 'dumpDtb', 'crosscheck', 'nodev', 'json']),
    )
    .argument('[gdb-arguments...]', 'for gdb, with --gdb or --gdb-qemu, after --')
    .action(async (gdbArguments: readonly string[], own: Own) => {
      if (gdbArguments.length > 0 && own.gdb === undefined && own.gdbQemu === undefined) {
        command.error(`error: '${gdbArguments[0]}' is for gdb: give --gdb or --gdb-qemu too`);
      }
      const tools = [
        ...(own.gdbQemu ? (['gdb'] as const) : []),
        ...(own.gdb ? (['guests-gdb'] as const) : []),
      ];
      return app.run({ builds: true, document: false, tools }, command, async (services, steps) =>
        (await steps()).run(services, {
          nodev: own.nodev === true,
          rw: own.rw === true,
          gdb: own.gdb,
          gdbQemu: own.gdbQemu === true,
          gdbArguments,
          serve: own.serve === true,
          dumpDtb: typeof own.dumpDtb === 'string' ? resolve(own.dumpDtb) : own.dumpDtb && '',
        }),
      );
    });
  addHelp(command, ALL_EXITS, [
    ['stopwatch run', 'a shell; what guest_fs/ has are commands there'],
    ['stopwatch run --rw', 'changes are there the next time'],
    ['stopwatch run --serve', 'then stopwatch push, in another terminal'],
    ['stopwatch run --gdb --variant debug', 'then the command that it prints, in another terminal'],
    ['stopwatch run --gdb-qemu -- -x FILE', 'gdb on QEMU, with commands from a file'],
    ['stopwatch run --dump-dtb virt.dtb', 'virt.dtb and virt.dts'],
  ]);
}
