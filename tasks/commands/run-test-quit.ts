// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import { variantOption } from '../cli/options.js';

export function addRunTestQuit(program: Command, app: App): void {
  const command = program
    .command('run-test-quit')
    .summary('boot, test the device, power off, and judge the run')
    .description(
      "Boots the VM, runs the guest's test, powers off, and judges every access of the device against the reference model. Deterministic, and the guest's sleeps cost nothing, unless --realtime is given. Builds what is stale first.",
    )
    .addOption(variantOption())
    .option('--record', 'keep what `replay` needs to run the very same execution again, beside the report')
    .action(async (own: { readonly record?: true }) =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).runTestQuit(services, { record: own.record === true }),
      ),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch run-test-quit', 'the verdict is in the exit code'],
    ['stopwatch run-test-quit --realtime', "against the host's clock"],
    ['stopwatch run-test-quit --driver builtin', 'with the driver in the kernel image'],
    ['stopwatch run-test-quit --record', 'then: stopwatch replay'],
  ]);
}
