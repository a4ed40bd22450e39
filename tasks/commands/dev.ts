// SPDX-License-Identifier: MIT
import { type Command, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';

export function addDev(program: Command, app: App): void {
  const command = program
    .command('dev')
    .summary('watch the sources; on every save build, boot, test and judge')
    .description(
      'Watches device/, driver/, guest_fs/, patches/, the configurations in vm/, the settings, and the source trees of QEMU, Linux and Busybox. On every save it does what `all` does, and shows the verdict of this save and of the one before. A save stops the run that it makes pointless. In a checkout, a change of the model or the contract is compiled first. Where the system lets nobody watch so many directories as the trees have, it says so, and an edit there waits for the key r.',
    )
    .addOption(new Option('--worker').hideHelp())
    .action(async (own: { readonly worker?: true }) =>
      app.run({ builds: own.worker === true, document: false }, command, async (services, steps) =>
        own.worker === true
          ? (await import('./dev/worker.js')).work(services, await steps())
          : (await import('./dev/supervisor.js')).supervise(services),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch dev', 'then save a file of device/ in an editor; q ends'],
    ['stopwatch dev --realtime', "against the host's clock"],
  ]);
}
