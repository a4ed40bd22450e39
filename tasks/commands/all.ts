// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

export function addAll(program: Command, app: App): void {
  const command = program
    .command('all')
    .summary('fetch, patch and build everything, boot the VM, test the device, judge it')
    .description(
      'Fetches and verifies QEMU, Linux and Busybox, patches and builds them, makes a root file system, boots the VM, runs the test in it, and judges every access of the device against the reference model. What is up to date is not done again.',
    )
    .addOption(variantOption())
    .action(async () =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).all(services),
      ),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch all', 'the whole way, from nothing or from what is there'],
    ['stopwatch all --jobs 4 --no-install', 'four processes at once, and no packages installed'],
    ['stopwatch all --source linux=../linux', 'with a Linux tree of your own'],
  ]);
}
