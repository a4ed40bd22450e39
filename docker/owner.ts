// SPDX-License-Identifier: MIT
/** Whose a container is, written on it as labels, so that one left over from a killed run can be told from one in use. */
import { hostname } from 'node:os';
import { processStat, sendSignal } from '../lib/process/group.js';
import { bootId } from '../lib/process/leftovers.js';
import type { Engine } from './engine.js';
import { numberField, textField } from './field.js';

/** Label: the work directory that the container was made for. */
export const WORK_LABEL = 'stopwatch.work';
/** Label: the process that made it, as JSON. */
export const OWNER_LABEL = 'stopwatch.owner';

/** A process, named for good: `start` in clock ticks after `boot` (both empty where there is no /proc). */
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
export function mayBeAlive(owner: Owner): boolean {
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
    const pid = numberField(value, 'pid');
    if (host === undefined || boot === undefined || start === undefined || pid === undefined)
      return undefined;
    return { host, boot, pid, start };
  } catch {
    return undefined;
  }
}

/** Removes what killed runs in this work directory have left. Gives the ids of what was removed. */
export async function removeLeftovers(
  engine: Engine,
  work: string,
  alive: (owner: Owner) => boolean = mayBeAlive,
): Promise<readonly string[]> {
  const containers = await engine.containers(WORK_LABEL, work);
  const left = containers.filter(({ labels }) => {
    const owner = parseOwner(labels[OWNER_LABEL]);
    return owner === undefined || !alive(owner);
  });
  await Promise.all(left.map(({ id }) => engine.container(id).remove()));
  return left.map(({ id }) => id);
}
