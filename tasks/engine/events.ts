// SPDX-License-Identifier: MIT
/** The union of events. The executor emits them; reporters switch over them exhaustively. */
import type { StopwatchError } from '../../lib/errors.js';

/** Why a task is stale: one changed thing. */
export type Reason =
  | { readonly kind: 'never-run' }
  | { readonly kind: 'always'; readonly why: string }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'forced' }
  | { readonly kind: 'value'; readonly key: string; readonly was: string; readonly is: string }
  | { readonly kind: 'file'; readonly path: string; readonly change: 'added' | 'removed' | 'changed' }
  | {
      readonly kind: 'tree';
      readonly path: string;
      /** Paths in the tree, at most ten. */
      readonly changed: readonly string[];
      readonly more: number;
    }
  | { readonly kind: 'tool'; readonly tool: string; readonly was: string; readonly is: string }
  | { readonly kind: 'dependency'; readonly task: string }
  | { readonly kind: 'output'; readonly path: string; readonly change: 'missing' | 'changed' };

/** The state of one task before anything runs. */
export interface TaskStatus {
  readonly name: string;
  readonly title: string;
  readonly deps: readonly string[];
  readonly fresh: boolean;
  /** Empty when fresh. */
  readonly reasons: readonly Reason[];
  /** Of the last successful run, milliseconds. */
  readonly lastDurationMs: number | undefined;
}

/** The compiler cache's statistics of one run. */
export interface CompileCacheUse {
  /** Compilations whose result was there, in the local cache or the shared one. */
  readonly hits: number;
  readonly misses: number;
  /** Errors of ccache itself; the compilation happened nevertheless. */
  readonly errors: number;
  /** The shared cache; each compilation has two entries there. Null if no shared cache is configured. */
  readonly remote: {
    /** Its address, which has no credentials in it. */
    readonly place: string;
    readonly hits: number;
    readonly misses: number;
    readonly errors: number;
    readonly written: number;
  } | null;
}

export type ProgressUnit = 'bytes' | 'steps' | 'percent';

export type Event =
  /** The analysis is complete; nothing has been done yet. In execution order. */
  | { readonly type: 'plan'; readonly tasks: readonly TaskStatus[] }
  | { readonly type: 'task-start'; readonly task: string; readonly logFile: string }
  | { readonly type: 'task-line'; readonly task: string; readonly line: string }
  | {
      readonly type: 'task-progress';
      readonly task: string;
      readonly done: number;
      readonly total: number | undefined;
      readonly unit: ProgressUnit;
    }
  | { readonly type: 'task-done'; readonly task: string; readonly durationMs: number }
  | { readonly type: 'task-fresh'; readonly task: string }
  | {
      readonly type: 'task-failed';
      readonly task: string;
      readonly durationMs: number;
      readonly error: StopwatchError;
    }
  /** Never started, because another task failed or the run was interrupted. */
  | { readonly type: 'task-skipped'; readonly task: string; readonly because: string }
  | { readonly type: 'notice'; readonly task: string | undefined; readonly text: string }
  /** Another process holds the work directory; we wait. */
  | { readonly type: 'waiting'; readonly holder: string }
  /** After 'done', when anything was compiled through ccache. */
  | { readonly type: 'compile-cache'; readonly cache: CompileCacheUse }
  | { readonly type: 'done'; readonly durationMs: number; readonly ok: boolean };

export type Emit = (event: Event) => void;
