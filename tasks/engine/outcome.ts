// SPDX-License-Identifier: MIT
/** How a run of the graph ended: failures are values. */
import type { StopwatchError } from '../../lib/errors.js';
import type { TaskStatus } from './events.js';

export type TaskEnd = 'fresh' | 'done' | 'failed' | 'skipped';

export interface Outcome {
  readonly ok: boolean;
  /** In order of appearance; the first one is what went wrong first. */
  readonly errors: readonly { readonly task: string; readonly error: StopwatchError }[];
  readonly ends: ReadonlyMap<string, TaskEnd>;
  /** As found before anything was run, in execution order. */
  readonly plan: readonly TaskStatus[];
  readonly durationMs: number;
}
