// SPDX-License-Identifier: MIT
/** A task is plain data, created by a function of the configuration. */
import type { Processes } from '../../lib/process/process.js';
import type { ProgressUnit } from './events.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Everything that a task's result depends on. The fingerprint covers it and the dependencies' fingerprints. */
interface Inputs {
  /** Arguments, environment, versions, sums: anything that is a value. */
  readonly values?: Readonly<Record<string, Json>>;
  /** Files and small directories, by content, mode and symlink target; a link's target file counts too. May be missing. */
  readonly files?: readonly string[];
  /** Large source trees, by content through an index of their files' stat data. Links are not followed: name their targets in `files`. */
  readonly trees?: readonly string[];
  /** Programs whose version matters, e.g. 'aarch64-linux-gnu-gcc'; the first line of `--version` counts. */
  readonly tools?: readonly string[];
}

/**
 * How a task uses the processors: not at all (it waits for the network or the user); one process; make or ninja, with
 * as many processes as there are jobs.
 */
export type JobKind = 'none' | 'one' | 'build';

export interface ToolOptions {
  readonly cwd?: string | undefined;
  /** Added to the scrubbed base environment of every tool. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Text for standard input; without it, standard input is empty. */
  readonly input?: string | undefined;
  /** Return standard output instead of only logging it. */
  readonly capture?: boolean | undefined;
  /** Gets each line of both outputs, after the log. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** The services of a running task. */
export interface TaskContext {
  readonly signal: AbortSignal;
  /** Path of this task's log file. */
  readonly logFile: string;
  /** Runs a tool to its end; its output goes to the log. Throws StopwatchError (command-failed, command-not-found, interrupted). Gives stdout if captured, else ''. */
  readonly exec: (file: string, args: readonly string[], options?: ToolOptions) => Promise<string>;
  /** A line for the log and for the task's row. */
  readonly log: (line: string) => void;
  /** Total undefined when unknown; an estimate is `percent` of 100. */
  readonly progress: (done: number, total: number | undefined, unit: ProgressUnit) => void;
  /** A message that the user sees even on success. */
  readonly notice: (text: string) => void;
  /** Processes that this task may run at once. Make gets them from MAKEFLAGS, ninja needs `-j ${jobs}`. */
  readonly jobs: number;
  /** For what `exec` cannot do; these processes end with this run. */
  readonly processes: Processes;
  /** The scrubbed base environment, for `processes`. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Task {
  /** Unique, `part:step`, e.g. 'linux:build'. */
  readonly name: string;
  /** For people: 'Linux 6.12.94: build'. */
  readonly title: string;
  readonly deps: readonly string[];
  readonly inputs: Inputs;
  /** Absolute paths that exist when the task is finished. If another program removes or changes one, the task is stale, and a changed one is deleted before a build, because make and ninja would keep it. A directory only has to exist. */
  readonly outputs: readonly string[];
  readonly jobs: JobKind;
  /** Set when the task must run every time, with the reason. No other task depends on such a task. */
  readonly always?: string;
  /** Run it although it may be fresh, because the user asked for it. */
  readonly forced?: boolean | undefined;
  /** Replaces this task's fingerprint in those of its dependents: for a task whose inputs do not all concern them. */
  readonly result?: string;
  /** Does the work. Must be safe to run again after being killed anywhere. */
  run(context: TaskContext): Promise<void>;
}
