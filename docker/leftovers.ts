// SPDX-License-Identifier: MIT
/** Each container has its owner as a label: it shows whether a killed run left the container or another run uses it. */
import type Docker from 'dockerode';
import { mayBeAlive, type Owner, ownerSchema } from '../lib/process/owner.js';
import { attempt, statusOf } from './errors.js';

/** Label: the work directory that the container was made for. */
export const WORK_LABEL = 'stopwatch.work';
/** Label: the process that made it, as JSON. */
export const OWNER_LABEL = 'stopwatch.owner';

/** Reads the label; undefined if Stopwatch did not write it. */
export function parseOwner(label: string | undefined): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}

/** All containers, running or not, that were made for a work directory. */
export async function containersOf(docker: Docker, work: string): Promise<readonly Docker.ContainerInfo[]> {
  const filters = { label: [`${WORK_LABEL}=${work}`] };
  return attempt('listing containers', async () => docker.listContainers({ all: true, filters }));
}

/** Kills and removes the container. It is not an error if the container no longer exists. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  await attempt('removing the container', async () => {
    await container.remove({ force: true, v: true }).catch((cause: unknown) => {
      // 409: another process is removing it at this moment.
      if (![404, 409].includes(statusOf(cause))) throw cause;
    });
  });
}

/** Removes the containers of killed runs in this work directory; returns their ids. */
export async function removeLeftovers(
  docker: Docker,
  work: string,
  alive: (owner: Owner) => boolean = mayBeAlive,
): Promise<readonly string[]> {
  const left = (await containersOf(docker, work)).filter(({ Labels }) => {
    const its = parseOwner(Labels[OWNER_LABEL]);
    return its === undefined || !alive(its);
  });
  await Promise.all(left.map(async ({ Id }) => removeContainer(docker.getContainer(Id))));
  return left.map(({ Id }) => Id);
}
