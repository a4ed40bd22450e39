// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { processStat } from '../../lib/process/group.js';

export interface Living {
  readonly pid: number;
  readonly command: string;
}

/** Other processes, zombies apart, whose environment has a setting (`NAME=value`) that starts with this. */
export function processesWith(setting: string): Living[] {
  const found: Living[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!/^\d+$/.test(name) || pid === process.pid || processStat(pid)?.state === 'Z') continue;
    try {
      const environ = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
      if (!environ.some((each) => each.startsWith(setting))) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      found.push({ pid, command });
    } catch {
      // It has just ended.
    }
  }
  return found;
}
