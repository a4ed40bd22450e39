// SPDX-License-Identifier: MIT
/** The state of a run, folded from its events. The reporters show it. */
import type { CompileCacheUse, Event } from '../engine/events.js';
import { unreachable } from '../../lib/unreachable.js';
import type { StopwatchError } from '../../lib/errors.js';
import { cleaned, toolLine, type TaskProgress } from './format.js';

/** The state of one task. */
export interface TaskRow {
  readonly name: string;
  readonly title: string;
  state: 'waiting' | 'running' | 'done' | 'fresh' | 'failed' | 'skipped';
  startedAt: number | undefined;
  durationMs: number | undefined;
  lastLine: string;
  progress: TaskProgress | undefined;
  error: StopwatchError | undefined;
  /** Why it was skipped. */
  because: string | undefined;
}

export class RunModel {
  readonly rows = new Map<string, TaskRow>();
  readonly notices: string[] = [];
  /** Set by 'compile-cache'. */
  cache: CompileCacheUse | undefined;
  /** Set by 'done'. */
  durationMs: number | undefined;

  /** `now`: milliseconds, any monotonic clock. */
  apply(event: Event, now: number): void {
    switch (event.type) {
      case 'plan':
        for (const { name, title, fresh } of event.tasks) {
          // An earlier graph of the same command may have left a row.
          this.rows.delete(name);
          this.row(name, cleaned(title)).state = fresh ? 'fresh' : 'waiting';
        }
        break;
      case 'task-start': {
        const row = this.row(event.task);
        row.state = 'running';
        row.startedAt = now;
        break;
      }
      case 'task-line': {
        // Outside a graph (installing packages) there is no row.
        const row = this.rows.get(event.task);
        const line = toolLine(event.line);
        if (row !== undefined && line.trim() !== '') row.lastLine = line;
        break;
      }
      case 'task-progress': {
        const row = this.row(event.task);
        const { done, total, unit } = event;
        const before = row.progress;
        // Another unit, or less than before: the task has started something else.
        const goesOn = before !== undefined && before.unit === unit && before.done <= done;
        row.progress = { done, total, unit, since: goesOn ? before.since : { at: now, done } };
        break;
      }
      case 'task-done':
        this.end(event.task, 'done', event.durationMs);
        break;
      case 'task-fresh':
        this.row(event.task).state = 'fresh';
        break;
      case 'task-failed':
        this.end(event.task, 'failed', event.durationMs);
        this.row(event.task).error = event.error;
        break;
      case 'task-skipped': {
        const row = this.row(event.task);
        row.state = 'skipped';
        row.because = event.because;
        break;
      }
      case 'notice':
        this.notices.push(event.text);
        break;
      case 'compile-cache':
        this.cache = event.cache;
        break;
      case 'waiting':
        break;
      case 'done':
        this.durationMs = event.durationMs;
        break;
      default:
        unreachable(event);
    }
  }

  /** The title of a task, or its name when it is in no plan. */
  title(task: string): string {
    return this.rows.get(task)?.title ?? task;
  }

  private end(task: string, state: 'done' | 'failed', durationMs: number): void {
    const row = this.row(task);
    row.state = state;
    row.durationMs = durationMs;
  }

  private row(name: string, title = name): TaskRow {
    let row = this.rows.get(name);
    if (row === undefined) {
      row = {
        name,
        title,
        state: 'waiting',
        startedAt: undefined,
        durationMs: undefined,
        lastLine: '',
        progress: undefined,
        error: undefined,
        because: undefined,
      };
      this.rows.set(name, row);
    }
    return row;
  }
}
