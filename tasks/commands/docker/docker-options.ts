// SPDX-License-Identifier: MIT
/** The options that `docker-all` and `docker` have in common. */
import type { Command } from 'commander';
import type { DockerOptions } from '../services.js';

export interface OwnDocker {
  readonly base: string;
  readonly rebuild?: true;
  readonly network?: string;
}

export function addDockerOptions(command: Command): Command {
  return command
    .option(
      '--base <IMAGE>',
      "what the image is built on: default (Debian's, from a registry), bootstrap (made here from Debian's packages), or an image of your own",
      'default',
    )
    .option('--rebuild', 'build the image again, without old layers')
    .option('--network <NAME>', 'the network of the container, such as host (default: the daemon’s)');
}

export function dockerOptions({ base, rebuild, network }: OwnDocker): DockerOptions {
  return { base, rebuild: rebuild === true, network };
}
