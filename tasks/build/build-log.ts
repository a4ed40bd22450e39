// SPDX-License-Identifier: MIT
/** Collects for the report which tasks ran, when, and why. */
import type { BuildTask } from '../../vm/report/report.js';
import type { Event } from '../engine/events.js';
import { reasonText } from '../engine/reason-text.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class BuildLog {
  readonly #tasks = new Map<string, Mutable<BuildTask>>();
  /** Paths in reasons are relative to it. */
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** `now`: milliseconds since the command began. */
  apply(event: Event, now: number): void {
    if (event.type === 'plan') {
      for (const { name, title, deps, fresh, reasons } of event.tasks) {
        // What ran once in a command is fresh in its next plan.
        if (fresh && this.#tasks.get(name)?.state === 'done') continue;
        this.#tasks.set(name, {
          name,
          title,
          deps,
          state: 'fresh',
          reasons: reasons.map((reason) => reasonText(reason, this.#base)),
          startMs: null,
          durationMs: null,
        });
      }
      return;
    }
    if (event.type !== 'task-start' && event.type !== 'task-done' && event.type !== 'task-failed') return;
    const task = this.#tasks.get(event.task);
    if (task === undefined) return;
    if (event.type === 'task-start') {
      task.startMs = now;
      return;
    }
    task.state = event.type === 'task-done' ? 'done' : 'failed';
    task.durationMs = event.durationMs;
  }

  /** Those that have ended, and those that were fresh. */
  get tasks(): readonly BuildTask[] {
    return [...this.#tasks.values()].filter(
      ({ state, reasons }) => state !== 'fresh' || reasons.length === 0,
    );
  }
}
