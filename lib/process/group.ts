// SPDX-License-Identifier: MIT
/** Process groups: their members, and how to end them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../errno.js';

interface ProcessStat {
  readonly pid: number;
  /** One letter, e.g. 'R', 'S', 'Z'. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot; with the pid it identifies a process for ever. */
  readonly startTime: string;
}

/** Reads /proc/<pid>/stat (proc(5)); undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field, the program's name in parentheses, may contain anything: count from its end.
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
 * The living members of the group and session that `leader` started. Zombies do not count: in a
 * container they may never be reaped. Undefined without /proc.
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

/** Sends `signal` to a process, or to a group if `target` is negative. False when it does not exist. */
export function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    // EPERM: it exists but belongs to another user (sudo).
    return errnoOf(error).code === 'EPERM';
  }
}

/** Sends `signal` to the leader's group and to the rest of its session. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  sendSignal(-leader, signal);
  for (const member of groupMembers(leader) ?? []) {
    if (member.group !== leader) sendSignal(member.pid, signal);
  }
}

/** True when the whole group has ended; with `thorough`, the session as well. */
function groupGone(leader: number, thorough: boolean): boolean {
  if (!thorough && !sendSignal(-leader, 0)) return true;
  const members = groupMembers(leader);
  return members === undefined ? !sendSignal(-leader, 0) : members.length === 0;
}

/** Polls until the group is gone; false after `timeoutMs`. */
export async function waitForGroup(leader: number, timeoutMs: number, thorough: boolean): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    if (groupGone(leader, thorough)) return true;
    if (performance.now() >= until) return false;
    await sleep(pause);
  }
}

/**
 * SIGTERM to the group, SIGKILL to what is left after `graceMs`. Resolves when it is gone;
 * false when it still exists 5 s after SIGKILL (uninterruptible sleep).
 */
export async function endGroup(leader: number, graceMs: number): Promise<boolean> {
  if (graceMs > 0) {
    signalGroup(leader, 'SIGTERM');
    // A stopped process sees SIGTERM only when it continues.
    signalGroup(leader, 'SIGCONT');
    if (await waitForGroup(leader, graceMs, true)) return true;
  }
  const until = performance.now() + 5000;
  // Repeat: a member may fork while the first SIGKILL is being delivered.
  do {
    signalGroup(leader, 'SIGKILL');
    if (await waitForGroup(leader, 100, true)) return true;
  } while (performance.now() < until);
  return false;
}
