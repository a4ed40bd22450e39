// SPDX-License-Identifier: MIT
/** `all` from nothing, killed in every one of its tasks, and run again until it passes. */
import type { Event } from '../../tasks/core/events.js';
import { eventOf, left, type Project } from './project.js';

/** One run that was ended by a signal. */
export interface Kill {
  readonly signal: 'SIGKILL' | 'SIGINT';
  /** The task it was meant for. */
  readonly task: string;
  /** Tasks that had been started and not ended. */
  readonly running: readonly string[];
  /** Those that `status` then called unfinished: it was in the midst of them. */
  readonly hit: readonly string[];
  readonly code: number | null;
  /** Processes that were alive some seconds later. */
  readonly left: readonly string[];
}

export interface Story {
  readonly kills: readonly Kill[];
  /** All tasks of `all`. */
  readonly tasks: readonly string[];
  /** The last run. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Milliseconds from a task's start to the kill; the others are killed as soon as they have started. */
const AFTER: Readonly<Record<string, number>> = {
  'qemu:tree': 1000,
  'linux:tree': 2500,
  'busybox:tree': 50,
  'qemu:configure': 2500,
  'linux:configure': 1000,
  'busybox:configure': 400,
  'qemu:build': 3000,
  'linux:build': 3000,
  'busybox:build': 1500,
  'driver:module': 150,
  'vm:test': 300,
};

/** In this one the first signal is a Ctrl-C. */
const INTERRUPTED = 'linux:build';

export async function killedInEveryTask(project: Project, say: (text: string) => void): Promise<Story> {
  const kills: Kill[] = [];
  const tasks = new Set<string>();
  for (;;) {
    const attempt = await allUntilSignal(project, kills, tasks, say);
    if ('kill' in attempt) kills.push(attempt.kill);
    else return { kills, tasks: [...tasks], ...attempt };
  }
}

async function allUntilSignal(
  project: Project,
  before: readonly Kill[],
  tasks: Set<string>,
  say: (text: string) => void,
): Promise<{ readonly kill: Kill } | Pick<Story, 'code' | 'out' | 'err'>> {
  const done = new Set(before.flatMap(({ signal, hit }) => (signal === 'SIGKILL' ? hit : [])));
  const interrupted = before.some(({ signal }) => signal === 'SIGINT');
  // Not twice for a task that was over too soon the first time: that is a failure, told at the end.
  const tried = new Set(before.filter(({ signal }) => signal === 'SIGKILL').map(({ task }) => task));
  const running = new Set<string>();
  let aimed: { task: string; timer: NodeJS.Timeout } | undefined;
  let sent: Pick<Kill, 'signal' | 'task' | 'running'> | undefined;
  let seen = 0;

  const strike = (task: string) => {
    const signal = task === INTERRUPTED && !interrupted ? 'SIGINT' : 'SIGKILL';
    sent = { signal, task, running: [...running] };
    child.kill(signal);
  };
  const look = (event: Event) => {
    if (sent !== undefined) return;
    if (event.type === 'plan') for (const { name } of event.tasks) tasks.add(name);
    if (event.type === 'task-start') {
      const { task } = event;
      running.add(task);
      if (aimed !== undefined || done.has(task) || tried.has(task)) return;
      const after = AFTER[task];
      if (after === undefined) strike(task);
      else aimed = { task, timer: setTimeout(() => strike(task), after) };
    }
    if (event.type === 'task-done' || event.type === 'task-failed') {
      running.delete(event.task);
      if (aimed?.task !== event.task) return;
      clearTimeout(aimed.timer);
      aimed = undefined;
    }
  };
  const { child, ended } = project.start(['all', '--json'], {
    onOutput: (soFar) => {
      // Only whole lines, each once.
      for (let end = soFar.indexOf('\n', seen); end >= 0; end = soFar.indexOf('\n', seen)) {
        const line = soFar.slice(seen, end);
        seen = end + 1;
        if (line.startsWith('{')) look(eventOf(line));
      }
    },
  });
  const { code, out, err } = await ended;
  clearTimeout(aimed?.timer);
  if (sent === undefined) return { code, out, err };
  const alive = await left(project);
  const status = await project.status();
  const hit = sent.running.filter(
    // A test is no part of `status`: it is stale in any case.
    (task) => task === 'vm:test' || status.get(task)?.reasons.some(({ kind }) => kind === 'unfinished'),
  );
  say(`${sent.signal} in ${sent.task}; it was in the midst of ${hit.join(', ') || 'nothing'}`);
  return { kill: { ...sent, hit, code, left: alive } };
}
