// SPDX-License-Identifier: MIT
import { type CommandDefinition, ALL_EXITS } from './define.js';
import { dockerOptions, type OwnDocker } from './docker.js';

export const dockerAll: CommandDefinition<OwnDocker> = {
  name: 'docker-all',
  summary: 'all, in a container',
  description:
    'Runs `all` in a container, as the calling user, on the project as it is here. Needs a Docker daemon and nothing else of the host: no docker client, no compilers. Builds the image when its inputs changed. What is built stays in docker/ of the work directory; downloads and the compiler cache are shared with the host.',
  options: dockerOptions(),
  exits: ALL_EXITS,
  examples: [
    ['stopwatch docker-all', 'the same verdict, wherever a Docker daemon runs'],
    ['stopwatch docker-all --base bootstrap', 'where no registry can be reached'],
    ['stopwatch docker-all --realtime --jobs 4', 'the options of `all` are handed on'],
  ],
  async run(services, options) {
    const { base, rebuild = false, network } = options;
    const { dockerAll: allInContainer } = await import('./docker/docker.js');
    return allInContainer(services, { base, rebuild, network, handedOn: options });
  },
};
