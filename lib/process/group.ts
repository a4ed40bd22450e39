// SPDX-License-Identifier: MIT
/** Process groups: who is in one, and how to end all of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../errno.js';

interface ProcessStat {
  readonly pid: number;
  /** One letter, e.g. 'R', 'S', 'Z'. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** Clock ticks after the boot; with the pid it names a process for good. */
  readonly startTime: string;
}

/** Reads /proc/<pid>/stat (proc(5)); undefined when there is no such process or no /proc. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , group = '', session = ''] = fields;
  return {
    pid,
    state,
    group: Number(group),
    session: Number(session),
    startTime: fields[19] ?? '',
  };
}

/**
 * The living members of the group and session that `leader` started; zombies do not count,
 * because in a container nobody may ever reap them. Undefined where there is no /proc.
 */
export function groupMembers(leader: number): ProcessStat[] | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return undefined;
  }
  const members: ProcessStat[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const stat = processStat(Number(name));
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') continue;
    if (stat.group === leader || stat.session === leader) members.push(stat);
  }
  return members;
}

/** Sends `signal` to a process, or with a negative number to a group. False when there is none. */
export function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else (sudo).
    return errnoOf(error).code === 'EPERM';
  }
}

/** Sends `signal` to the leader's group and to everyone else in its session. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  sendSignal(-leader, signal);
  for (const member of groupMembers(leader) ?? []) {
    if (member.group !== leader) sendSignal(member.pid, signal);
  }
}

/** True when nothing of the group is alive any more. The session is looked at too when `thorough`. */
function groupGone(leader: number, thorough: boolean): boolean {
  if (!thorough && !sendSignal(-leader, 0)) return true;
  const members = groupMembers(leader);
  return members === undefined ? !sendSignal(-leader, 0) : members.length === 0;
}

/** Polls until the group is gone; false when it is still there after `timeoutMs`. */
export async function waitForGroup(leader: number, timeoutMs: number, thorough: boolean): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    if (groupGone(leader, thorough)) return true;
    if (performance.now() >= until) return false;
    await sleep(pause);
  }
}

/**
 * SIGTERM to all of the group, SIGKILL to what is left after `graceMs`. Resolves when it is gone;
 * false when the kernel has not let go of it 5 s after SIGKILL (a process in uninterruptible sleep).
 */
export async function endGroup(leader: number, graceMs: number): Promise<boolean> {
  if (graceMs > 0) {
    signalGroup(leader, 'SIGTERM');
    // A stopped process gets to SIGTERM only when it goes on.
    signalGroup(leader, 'SIGCONT');
    if (await waitForGroup(leader, graceMs, true)) return true;
  }
  const until = performance.now() + 5000;
  // Again and again: a member may fork while the first SIGKILL is on its way.
  do {
    signalGroup(leader, 'SIGKILL');
    if (await waitForGroup(leader, 100, true)) return true;
  } while (performance.now() < until);
  return false;
}
