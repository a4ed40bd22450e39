// SPDX-License-Identifier: MIT
/** Each container carries its owner as a label, so that one left by a killed run can be told from one in use. */
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { processStat, sendSignal } from '../lib/process/group.js';
import { bootId } from '../lib/process/leftovers.js';
import { attempt, field, statusOf, textField } from './errors.js';

/** Label: the work directory that the container was made for. */
export const WORK_LABEL = 'stopwatch.work';
/** Label: the process that made it, as JSON. */
export const OWNER_LABEL = 'stopwatch.owner';

/** A process, identified for good: `start` in clock ticks after `boot` (both empty where there is no /proc). */
export interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

/** This process. */
export function thisOwner(): Owner {
  const { pid } = process;
  return { host: hostname(), boot: bootId(), pid, start: processStat(pid)?.startTime ?? '' };
}

/** True when the process may still be running: also when that cannot be seen from here. */
function mayBeAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (owner.boot !== bootId()) return false;
  if (owner.start !== '') return processStat(owner.pid)?.startTime === owner.start;
  return sendSignal(owner.pid, 0);
}

/** Reads the label; undefined when it is not ours. */
export function parseOwner(label: string | undefined): Owner | undefined {
  try {
    const value: unknown = JSON.parse(label ?? '');
    const [host, boot, start] = ['host', 'boot', 'start'].map((key) => textField(value, key));
    const pid = field(value, 'pid');
    if (host === undefined || boot === undefined || start === undefined || typeof pid !== 'number')
      return undefined;
    return { host, boot, pid, start };
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
    const owner = parseOwner(Labels[OWNER_LABEL]);
    return owner === undefined || !alive(owner);
  });
  await Promise.all(left.map(async ({ Id }) => removeContainer(docker.getContainer(Id))));
  return left.map(({ Id }) => Id);
}
