// SPDX-License-Identifier: MIT
/** Each container carries its owner as a label, so that one left by a killed run can be told from one in use. */
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { z } from 'zod';
import { processStat, sendSignal } from '../lib/process/group.js';
import { bootId } from '../lib/process/leftovers.js';
import { attempt, statusOf } from './errors.js';

/** Label: the work directory that the container was made for. */
export const WORK_LABEL = 'stopwatch.work';
/** Label: the process that made it, as JSON. */
export const OWNER_LABEL = 'stopwatch.owner';

/** A process, identified for good: `start` in clock ticks after `boot` (both empty where there is no /proc). */
const owner = z.object({ host: z.string(), boot: z.string(), pid: z.number(), start: z.string() }).readonly();
export type Owner = z.infer<typeof owner>;

/** This process. */
export function thisOwner(): Owner {
  const { pid } = process;
  return { host: hostname(), boot: bootId(), pid, start: processStat(pid)?.startTime ?? '' };
}

/** True when the process may still be running: also when that cannot be seen from here. */
function mayBeAlive({ host, boot, pid, start }: Owner): boolean {
  if (host !== hostname()) return true;
  if (boot !== bootId()) return false;
  return start === '' ? sendSignal(pid, 0) : processStat(pid)?.startTime === start;
}

/** Reads the label; undefined when it is not ours. */
export function parseOwner(label: string | undefined): Owner | undefined {
  try {
    return owner.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}

/** All containers, running or not, that were made for a work directory. */
export async function containersOf(docker: Docker, work: string): Promise<readonly Docker.ContainerInfo[]> {
  const filters = { label: [`${WORK_LABEL}=${work}`] };
  return attempt('listing containers', async () => docker.listContainers({ all: true, filters }));
}

/** Kills the container if it runs, and removes it; one that is gone already is no error. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  await attempt('removing the container', async () => {
    await container.remove({ force: true, v: true }).catch((cause: unknown) => {
      // 409: another process is removing it at this moment.
      if (![404, 409].includes(statusOf(cause))) throw cause;
    });
  });
}

/** Removes what killed runs in this work directory have left. Gives the ids of what was removed. */
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
