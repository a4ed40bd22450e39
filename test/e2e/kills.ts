// SPDX-License-Identifier: MIT
/** `all` from nothing, killed in every one of its tasks, and run again until it passes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../../tasks/engine/events.js';
import { taskFileName } from '../../tasks/engine/state.js';
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

/** A task that is over before it can be killed is made to run again, so many times. */
const TRIES = 5;

export async function killedInEveryTask(project: Project, say: (text: string) => void): Promise<Story> {
  const kills: Kill[] = [];
  const tasks = new Set<string>();
  const missed = new Map<string, number>();
  for (;;) {
    const attempt = await allUntilSignal(project, { kills, tasks, missed }, say);
    if ('kill' in attempt) kills.push(attempt.kill);
    else if (attempt.code !== 0) return { kills, tasks: [...tasks], ...attempt };
    const served = servedBy(kills);
    const again = ('kill' in attempt ? [attempt.kill.task] : [...tasks]).filter(
      (task) => !served.has(task) && (missed.get(task) ?? 0) < TRIES,
    );
    if (!('kill' in attempt) && again.length === 0) return { kills, tasks: [...tasks], ...attempt };
    if ('kill' in attempt && attempt.kill.signal === 'SIGINT') continue;
    for (const task of again) {
      missed.set(task, (missed.get(task) ?? 0) + 1);
      rmSync(join(project.work, 'state', 'tasks', `${taskFileName(task)}.json`), { force: true });
    }
  }
}

/** Tasks that have had all that was meant for them. One that is killed together with another still gets its Ctrl-C. */
function servedBy(kills: readonly Kill[]): Set<string> {
  const served = new Set(kills.flatMap(({ signal, hit }) => (signal === 'SIGKILL' ? hit : [])));
  if (!wasInterrupted(kills)) served.delete(INTERRUPTED);
  return served;
}

function wasInterrupted(kills: readonly Kill[]): boolean {
  return kills.some(({ signal }) => signal === 'SIGINT');
}

interface SoFar {
  readonly kills: readonly Kill[];
  /** All tasks there are; added to. */
  readonly tasks: Set<string>;
  /** How many times a task was over too soon. */
  readonly missed: ReadonlyMap<string, number>;
}

async function allUntilSignal(
  project: Project,
  { kills, tasks, missed }: SoFar,
  say: (text: string) => void,
): Promise<{ readonly kill: Kill } | Pick<Story, 'code' | 'out' | 'err'>> {
  const served = servedBy(kills);
  const interrupted = wasInterrupted(kills);
  const running = new Set<string>();
  const aimed = new Map<string, NodeJS.Timeout>();
  let sent: Pick<Kill, 'signal' | 'task' | 'running'> | undefined;
  let seen = 0;

  const strike = (task: string) => {
    const signal = task === INTERRUPTED && !interrupted ? 'SIGINT' : 'SIGKILL';
    sent = { signal, task, running: [...running] };
    child.kill(signal);
    for (const timer of aimed.values()) clearTimeout(timer);
  };
  const look = (event: Event) => {
    if (sent !== undefined) return;
    if (event.type === 'plan') for (const { name } of event.tasks) tasks.add(name);
    if (event.type === 'task-start') {
      const { task } = event;
      running.add(task);
      const misses = missed.get(task) ?? 0;
      if (served.has(task) || misses >= TRIES) return;
      const after = (AFTER[task] ?? 0) / 2 ** misses;
      if (after === 0) strike(task);
      else aimed.set(task, setTimeout(strike, after, task));
    }
    if (event.type === 'task-done' || event.type === 'task-failed') {
      running.delete(event.task);
      clearTimeout(aimed.get(event.task));
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
