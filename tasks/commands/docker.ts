// SPDX-License-Identifier: MIT
import { Argument, Option } from 'commander';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { BUILD_EXITS, type CommandDefinition } from './define.js';
import type { DockerOptions } from './docker/in-container.js';

/** The options that `docker-all` and `docker` have in common. */
export function dockerOptions(): readonly Option[] {
  return [
    new Option(
      '--base <IMAGE>',
      "what the image is built on: default (Debian's, from a registry), bootstrap (made here from Debian's packages), or an image of your own",
    ).default('default'),
    new Option('--rebuild', 'build the image again, without old layers'),
    new Option('--network <NAME>', 'the network of the container, such as host (default: the daemon’s)'),
  ];
}

export const docker: CommandDefinition<DockerOptions, [command: readonly string[]]> = {
  name: 'docker',
  summary: 'a shell, or one command, in the container of docker-all',
  description:
    'Opens a shell where `docker-all` works: the same image, user, directories and work directory. `stopwatch` is a command there. With a command, runs that instead; its exit code is handed on.',
  args: [new Argument('[command...]', 'what to run instead of a shell, after --')],
  options: dockerOptions(),
  exits: BUILD_EXITS,
  examples: [
    ['docker', 'a shell; `stopwatch run` boots what was built there'],
    ['docker -- stopwatch status', 'one command'],
  ],
  async run(services, options, command) {
    const isShell = command.length === 0;
    if (isShell && !services.interactive)
      throw new StopwatchError('bad-usage', 'A shell in the container needs a terminal, and there is none', {
        hint: 'give the command that is to be run: npx stopwatch docker -- stopwatch status',
      });
    const { inContainer } = await import('./docker/in-container.js');
    const code = await inContainer(services, options, isShell ? ['bash'] : command, services.interactive);
    return { exitCode: EXIT.passed, passedThrough: code };
  },
};
