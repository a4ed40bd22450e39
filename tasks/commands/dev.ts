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
    'Watches device/, driver/, guest_fs/, patches/, the configurations in vm/, the settings, and the source trees of QEMU, Linux and Busybox. On every save it does what `all` does, and shows the verdicts of this save and of the one before. Saving cancels the run in progress. After a change of a model or checker alone it judges the events of the last run again; r boots. In a checkout, such a change is compiled first. If the system does not allow watching all directories of the trees, `dev` says so; press r after an edit there.',
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
