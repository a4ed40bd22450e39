// SPDX-License-Identifier: MIT
/** What daemons of containers mount, and leave. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PATH } from './system-path.js';

/** Unmounts all that is mounted below a directory: the innermost first. */
export function unmountBelow(directory: string): void {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of mounted.reverse()) execFileSync('umount', [path], { env: { ...process.env, PATH } });
}
