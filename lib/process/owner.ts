// SPDX-License-Identifier: MIT
/** Identifies the process that owns something on disk or in Docker, and tells whether it may still be running. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { processStat, sendSignal } from './group.js';
import { bootId } from './leftovers.js';

/** Identifies a process, even if its pid is reused: `start` in clock ticks after `boot` (both empty without /proc). */
export const ownerSchema = z
  .object({ host: z.string(), boot: z.string(), pid: z.number(), start: z.string() })
  .readonly();
export type Owner = z.infer<typeof ownerSchema>;

/** This process. */
export function thisOwner(): Owner {
  const { pid } = process;
  return { host: hostname(), boot: bootId(), pid, start: processStat(pid)?.startTime ?? '' };
}

/** True if the process may still be running. Also if that is unknown, because it runs on another host. */
export function mayBeAlive({ host, boot, pid, start }: Owner): boolean {
  if (host !== hostname()) return true;
  if (boot !== bootId()) return false;
  return start === '' ? sendSignal(pid, 0) : processStat(pid)?.startTime === start;
}
