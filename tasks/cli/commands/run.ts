// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { App } from '../app.js';
import { addHelp, ALL_EXITS } from '../help.js';
import { parsePort } from '../options.js';

interface Own {
  readonly nodev?: true;
  readonly rw?: true;
  readonly dumpDtb?: true | string;
  readonly gdb?: number;
}

export function addRun(program: Command, app: App): void {
  const command = program
    .command('run')
    .summary('boot the VM with a shell on its serial console')
    .description(
      'Boots the VM and connects this terminal to its serial console. Builds what is stale first. Leave it with `poweroff` in the guest.',
    )
    .option('--nodev', 'without the device')
    .option('--rw', 'with a root file system (ext4) that keeps changes')
    .option(
      '--dump-dtb [FILE]',
      "write the machine's device tree as FILE (.dtb) and as .dts, show the device's node, and do not boot",
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
    .action(async (own: Own) =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).run(services, {
          nodev: own.nodev === true,
          rw: own.rw === true,
          gdb: own.gdb,
          dumpDtb: typeof own.dumpDtb === 'string' ? resolve(own.dumpDtb) : own.dumpDtb && '',
        }),
      ),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch run', 'a shell; what guest_fs/ has are commands there'],
    ['stopwatch run --rw', 'changes are there the next time'],
    ['stopwatch run --gdb', 'then the command that it prints, in another terminal'],
    ['stopwatch run --dump-dtb virt.dtb', 'virt.dtb and virt.dts'],
  ]);
}
