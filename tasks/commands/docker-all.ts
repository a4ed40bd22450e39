// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import type { Options } from '../cli/options.js';
import { addDockerOptions, dockerOptions, type OwnDocker } from './docker/docker-options.js';

export function addDockerAll(program: Command, app: App): void {
  const command = addDockerOptions(program.command('docker-all'))
    .summary('all, in a container')
    .description(
      'Runs `all` in a container, as the calling user, on the project as it is here. Needs a Docker daemon and nothing else of the host: no docker client, no compilers. Builds the image when its inputs changed. What is built stays in docker/ of the work directory; downloads and the compiler cache are shared with the host.',
    )
    .action(async (own: OwnDocker) =>
      app.run({ builds: false, document: false }, command, async (services, steps) => {
        const handedOn: Options = command.optsWithGlobals();
        return (await steps()).dockerAll(services, { ...dockerOptions(own), handedOn });
      }),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch docker-all', 'the same verdict, wherever a Docker daemon runs'],
    ['stopwatch docker-all --base bootstrap', 'where no registry can be reached'],
    ['stopwatch docker-all --realtime --jobs 4', 'the options of `all` are handed on'],
  ]);
}
