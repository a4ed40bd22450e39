// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

interface Own {
  readonly worker?: true;
}

export const dev: CommandDefinition<Own> = {
  name: 'dev',
  summary: 'watch the sources; on every save build, boot, test and judge',
  description:
    'Watches device/, driver/, guest_fs/, patches/, the configurations in vm/, the settings, and the source trees of QEMU, Linux and Busybox. On every save it does what `all` does, and shows the verdict of this save and of the one before. A save stops the run that it makes pointless. In a checkout, a change of the model or the contract is compiled first. Where the system lets nobody watch so many directories as the trees have, it says so, and an edit there waits for the key r.',
  options: [new Option('--worker').hideHelp()],
  exits: BUILD_EXITS,
  examples: [
    ['dev', 'then save a file of device/ in an editor; q ends'],
    ['dev --realtime', "against the host's clock"],
  ],
  builds: ({ worker }) => worker === true,
  run: async (services, { worker }) =>
    worker === true
      ? (await import('./dev/worker.js')).work(services)
      : (await import('./dev/supervisor.js')).supervise(services),
};
