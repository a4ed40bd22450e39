// SPDX-License-Identifier: MIT
/** Lines that start with the task's name, for logs, CI, dumb terminals and --verbose. */
import type { Event } from '../engine/events.js';
import { type Clock, hostClock } from '../../vm/clock.js';
import { unreachable } from '../../lib/unreachable.js';
import { cleaned, cleanedPainted, toolLine, duration, painter, progress, type Output } from './format.js';
import { RunModel } from './progress-model.js';
import type { Reporter } from './reporter.js';

/** Milliseconds between two lines of progress of one task. */
const PROGRESS_EVERY = 5000;
/** A task that said nothing for so long says that it still runs: CI systems end what is silent. */
const SILENT = 30_000;

interface PlainOptions {
  readonly colour: boolean;
  /** Also show every line of every tool. Lines from outside a graph are always shown. */
  readonly verbose: boolean;
  readonly clock?: Clock;
}

export function createPlainReporter(output: Output, options: PlainOptions): Reporter {
  const { verbose, clock = hostClock } = options;
  const now = (): number => clock.now();
  const paint = painter(options.colour);
  const model = new RunModel();
  const lastSaid = new Map<string, number>();
  let cancel: (() => void) | undefined;
  const say = (task: string | undefined, text: string): void => {
    if (task !== undefined) lastSaid.set(task, now());
    output.write(task === undefined ? `${text}\n` : `${paint('cyan', `${task}:`)} ${text}\n`);
  };

  function sayStillRunning(): void {
    cancel = clock.after(SILENT / 6, sayStillRunning);
    for (const row of model.rows.values()) {
      if (row.state !== 'running' || now() - (lastSaid.get(row.name) ?? 0) < SILENT) continue;
      const done = row.progress === undefined ? row.lastLine : progress(row.progress, now());
      const since = duration(now() - (row.startedAt ?? now())).replace(/\.\d+ s$/, ' s');
      say(row.name, done === '' ? `still running after ${since}` : `${done}, after ${since}`);
    }
  }

  function show(event: Event): void {
    switch (event.type) {
      case 'plan': {
        const stale = event.tasks.filter((task) => !task.fresh).length;
        const fresh = event.tasks.length - stale;
        say(undefined, `${count(stale)} to do, ${fresh} up to date`);
        cancel ??= clock.after(SILENT / 6, sayStillRunning);
        break;
      }
      case 'task-start':
        say(event.task, `${model.title(event.task)} ...`);
        break;
      case 'task-line':
        if (verbose || !model.rows.has(event.task)) say(event.task, toolLine(event.line));
        break;
      case 'task-progress': {
        const last = lastSaid.get(event.task) ?? Number.NEGATIVE_INFINITY;
        const state = model.rows.get(event.task)?.progress;
        // An estimate comes line by line.
        if (state === undefined || now() - last < (state.unit === 'percent' ? SILENT : PROGRESS_EVERY)) break;
        say(event.task, progress(state, now()));
        break;
      }
      case 'task-done':
        say(event.task, `${paint('green', 'done')} in ${duration(event.durationMs)}`);
        break;
      case 'task-fresh':
        if (verbose) say(event.task, 'up to date');
        break;
      case 'task-failed': {
        const word = event.error.code === 'interrupted' ? 'stopped' : 'failed';
        say(
          event.task,
          `${paint('red', word)} after ${duration(event.durationMs)}: ${cleaned(event.error.message)}`,
        );
        break;
      }
      case 'task-skipped':
        if (verbose) say(event.task, `skipped: ${cleaned(event.because)}`);
        break;
      case 'notice':
        say(event.task, cleanedPainted(event.text, options.colour));
        break;
      case 'waiting':
        say(undefined, `Waiting for the work directory: ${cleaned(event.holder)} has it`);
        break;
      case 'done':
        cancel?.();
        cancel = undefined;
        break;
      case 'compile-cache':
        break;
      default:
        unreachable(event);
    }
  }

  return {
    model,
    emit: (event) => {
      model.apply(event, now());
      show(event);
    },
    finish: async () => {},
  };
}

function count(tasks: number): string {
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'}`;
}
