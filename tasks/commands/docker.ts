// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import { addDockerOptions, dockerOptions, type OwnDocker } from './docker/docker-options.js';

export function addDocker(program: Command, app: App): void {
  const command = addDockerOptions(program.command('docker'))
    .summary('a shell, or one command, in the container of docker-all')
    .description(
      'Opens a shell where `docker-all` works: the same image, user, directories and work directory. `stopwatch` is a command there. With a command, runs that instead; its exit code is handed on.',
    )
    .argument('[command...]', 'what to run instead of a shell, after --')
    .action(async (words: readonly string[], own: OwnDocker) =>
      app.run({ builds: false, document: false }, command, async (services, steps) =>
        (await steps()).docker(services, { ...dockerOptions(own), command: words }),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch docker', 'a shell; `stopwatch run` boots what was built there'],
    ['stopwatch docker -- stopwatch status', 'one command'],
  ]);
}
