// SPDX-License-Identifier: MIT
import { PRODUCT } from '../../lib/product.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { type CommandDefinition, ALL_EXITS } from './define.js';
import { dockerOptions } from './docker.js';
import type { DockerOptions } from './docker/in-container.js';

export const dockerAll: CommandDefinition<DockerOptions> = {
  name: 'docker-all',
  summary: 'all, in a container',
  description:
    'Runs `all` in a container, as the calling user, on the project as it is here. Needs a Docker daemon and nothing else of the host: no docker client, no compilers. Builds the image when its inputs changed. What is built stays in docker/ of the work directory; downloads and the compiler cache are shared with the host.',
  options: dockerOptions(),
  exits: ALL_EXITS,
  examples: [
    ['docker-all', 'the same verdict, wherever a Docker daemon runs'],
    ['docker-all --base bootstrap', 'where no registry can be reached'],
    ['docker-all --realtime --jobs 4', 'the options of every command are handed on'],
  ],
  async run(services, options) {
    const { config } = services.loaded;
    if (config.vm.accelerator === 'kvm')
      throw new StopwatchError(
        'bad-usage',
        'vm.accelerator is kvm, but the container has no devices of the host',
        { hint: 'use `npx stopwatch all`, or leave the accelerator to auto' },
      );
    const [{ inContainer }, { innerArguments }] = await Promise.all([
      import('./docker/in-container.js'),
      import('./docker/plan.js'),
    ]);
    const command = [PRODUCT, ...innerArguments(options, config)];
    const code = await inContainer(services, options, command, false);
    const exitCode = Object.values(EXIT).find((known) => known === code);
    if (exitCode !== undefined) return { exitCode, passedThrough: code };
    if (code === 137)
      throw new StopwatchError(
        'docker-failed',
        '`stopwatch all` was killed inside the container (exit code 137)',
        {
          hint: 'it probably ran out of memory, or was ended by `docker stop`: try fewer --jobs, and run it again',
        },
      );
    throw new StopwatchError(
      'docker-failed',
      `\`stopwatch all\` ended inside the container with exit code ${code}, which it never does by itself`,
      { hint: 'run it again; `npx stopwatch docker` gives a shell to look around' },
    );
  },
};
