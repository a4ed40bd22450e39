// SPDX-License-Identifier: MIT
/** Processor time of another process: unlike the time on the wall, a busy host does not stretch it. */
import { readFileSync } from 'node:fs';

/** Of Linux on every architecture, whatever the kernel's own tick: what /proc counts in (USER_HZ). */
const PER_SECOND = 100;

/** Seconds in user and kernel mode so far; 0 where there is no such process, or no /proc. */
export function processorSeconds(pid: number): number {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return 0;
  }
  // After the name, which may hold anything: utime and stime are the 14th and 15th field of all (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / PER_SECOND;
}
