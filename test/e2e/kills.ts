// SPDX-License-Identifier: MIT
/** `all` from nothing, killed in some or in all of its tasks, and run again until it passes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../../tasks/engine/events.js';
import { taskFileName } from '../../tasks/engine/state.js';
import { type Ended, eventOf, left, type Project } from './project.js';

/** A run that was ended by a signal. */
export interface Kill {
  readonly signal: 'SIGKILL' | 'SIGINT';
  /** The task it was meant for. */
  readonly task: string;
  /** Tasks that had been started and not ended. */
  readonly running: readonly string[];
  /** Those of them that `status` then reported as unfinished. */
  readonly hit: readonly string[];
  readonly code: number | null;
  /** Processes that were alive some seconds later. */
  readonly left: readonly string[];
}

/** How the last run ended, and the kills before it. */
export interface KilledBuild extends Ended {
  readonly kills: readonly Kill[];
  /** The tasks in which a kill was asked for. */
  readonly wanted: readonly string[];
}

/** Milliseconds from a task's start to the kill; 0 for the others. */
const DELAY: Readonly<Record<string, number>> = {
  'qemu:tree': 1000,
  'linux:tree': 2500,
  'busybox:tree': 50,
  'qemu:configure': 2500,
  'linux:configure': 1000,
  'busybox:configure': 400,
  'qemu:build': 3000,
  'linux:build': 3000,
  'busybox:build': 1500,
  'driver:stopwatch': 150,
  'vm:test': 300,
};

/** The first signal in this task is a Ctrl-C. */
const INTERRUPTED = 'linux:build';

/** How often a task that ended before its kill is run again. */
const TRIES = 5;

export async function killedBuild(
  project: Project,
  killIn: readonly string[] | 'every task',
  progress: (text: string) => void,
): Promise<KilledBuild> {
  const kills: Kill[] = [];
  const wanted = new Set(killIn === 'every task' ? [] : killIn);
  const misses = new Map<string, number>();
  const interrupted = () => kills.some(({ signal }) => signal === 'SIGINT');
  const killed = (task: string) =>
    kills.some(({ signal, hit }) => signal === 'SIGKILL' && hit.includes(task));
  const isOpen = (task: string): boolean =>
    wanted.has(task) &&
    (misses.get(task) ?? 0) < TRIES &&
    (!killed(task) || (task === INTERRUPTED && !interrupted()));

  for (;;) {
    const running = new Set<string>();
    const timers = new Map<string, NodeJS.Timeout>();
    let sent: Pick<Kill, 'signal' | 'task' | 'running'> | undefined;
    const kill = (task: string): void => {
      const signal = task === INTERRUPTED && !interrupted() ? 'SIGINT' : 'SIGKILL';
      sent = { signal, task, running: [...running] };
      child.kill(signal);
      for (const timer of timers.values()) clearTimeout(timer);
    };
    const onEvent = (event: Event): void => {
      if (sent !== undefined) return;
      if (event.type === 'plan' && killIn === 'every task')
        for (const { name } of event.tasks) wanted.add(name);
      if (event.type === 'task-start') {
        const { task } = event;
        running.add(task);
        if (!isOpen(task)) return;
        const delay = (DELAY[task] ?? 0) / 2 ** (misses.get(task) ?? 0);
        if (delay === 0) kill(task);
        else timers.set(task, setTimeout(kill, delay, task));
      }
      if (event.type === 'task-done' || event.type === 'task-failed') {
        running.delete(event.task);
        clearTimeout(timers.get(event.task));
      }
    };
    const { child, ended } = project.start(['all', '--json'], { onOutput: eachEvent(onEvent) });
    const end = await ended;
    if (sent !== undefined) kills.push(await describeKill(project, sent, end.code, progress));
    const open = [...wanted].filter(isOpen);
    if (sent === undefined && (end.code !== 0 || open.length === 0))
      return { ...end, kills, wanted: [...wanted] };
    // A task that ended before its kill is run again.
    const missed = sent === undefined ? open : open.filter((task) => task === sent?.task);
    if (sent?.signal === 'SIGINT') continue;
    for (const task of missed) {
      misses.set(task, (misses.get(task) ?? 0) + 1);
      rmSync(join(project.work, 'state', 'tasks', `${taskFileName(task)}.json`), { force: true });
    }
  }
}

/** What went wrong in a killed build: each wanted task must have been hit, every run ended as a signal ends it. */
export function problemsOf({ kills, wanted, code, out, err }: KilledBuild): readonly string[] {
  const killed = kills.filter(({ signal }) => signal === 'SIGKILL');
  const interrupts = kills.filter(({ signal }) => signal === 'SIGINT');
  return [
    ...wanted
      .filter((task) => !killed.some(({ hit }) => hit.includes(task)))
      .map((task) => `${task} was not killed`),
    ...killed
      .filter((kill) => kill.code !== null)
      .map((kill) => `SIGKILL in ${kill.task}: expected no exit code, got ${kill.code}`),
    ...interrupts
      .filter((kill) => kill.code !== 130)
      .map((kill) => `Ctrl-C in ${kill.task}: expected exit code 130, got ${kill.code}`),
    ...(interrupts.length === 1 ? [] : [`expected one Ctrl-C, got ${interrupts.length}`]),
    ...kills.flatMap(({ task, left: alive }) => alive.map((line) => `left by the kill in ${task}: ${line}`)),
    ...(code === 0 && err === '' ? [] : [`the last run: exit code ${code}\n${out}\n${err}`]),
  ];
}

async function describeKill(
  project: Project,
  sent: Pick<Kill, 'signal' | 'task' | 'running'>,
  code: number | null,
  progress: (text: string) => void,
): Promise<Kill> {
  const alive = await left(project);
  const status = await project.status();
  const hit = sent.running.filter(
    // A test is always stale, so `status` does not list it.
    (task) => task === 'vm:test' || status.get(task)?.reasons.some(({ kind }) => kind === 'unfinished'),
  );
  progress(`${sent.signal} in ${sent.task}; unfinished: ${hit.join(', ') || 'nothing'}`);
  return { ...sent, hit, code, left: alive };
}

/** Hands on each event in the output of --json, once. */
function eachEvent(onEvent: (event: Event) => void): (soFar: string) => void {
  let seen = 0;
  return (soFar) => {
    for (let end = soFar.indexOf('\n', seen); end >= 0; end = soFar.indexOf('\n', seen)) {
      const line = soFar.slice(seen, end);
      seen = end + 1;
      if (line.startsWith('{')) onEvent(eventOf(line));
    }
  };
}
