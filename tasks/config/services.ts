// SPDX-License-Identifier: MIT
/** What every command receives from the command line, and what it returns. */
import type { ExitCode, StopwatchError } from '../../lib/errors.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import type { Processes } from '../../lib/process/process.js';
import type { Emit } from '../engine/events.js';
import type { Loaded } from './load.js';

export interface Services {
  /** Configuration, where each value came from, and the directories. */
  readonly loaded: Loaded;
  /** The user's own environment, whole. */
  readonly environment: Readonly<Record<string, string>>;
  /** The one signal: aborted with StopwatchError 'interrupted' on SIGINT, SIGTERM, SIGHUP. */
  readonly signal: AbortSignal;
  /** To the reporter. */
  readonly emit: Emit;
  /** Shows what the reporter still has to show and gives the terminal back: before a console takes it over. */
  readonly release: () => Promise<void>;
  /** Standard output carries events, with --json. */
  readonly json: boolean;
  /** Standard output takes colours. */
  readonly colour: boolean;
  /** Standard input and output are a terminal. */
  readonly interactive: boolean;
  /** Asks yes or no on the terminal; gives `otherwise` where there is none. An empty answer is no. */
  readonly confirm: (question: string, otherwise: boolean) => Promise<boolean>;
  /** Loads the port for processes; all that it starts are killed when the user insists. */
  readonly processes: () => Promise<Processes>;
  /** In a process that stays from run to run. */
  readonly treeWatch?: TreeWatch | undefined;
}

/** How a command ended when it did not throw. */
export interface Result {
  readonly exitCode: ExitCode;
  /** The answer itself, for standard output: text, and the same as data for --json. */
  readonly text?: string;
  readonly data?: unknown;
  /** Lines after the table of stages: verdicts and the accelerator that ran. */
  readonly verdict?: readonly string[];
  /** The next command to type. */
  readonly next?: string;
  /** What went wrong, where there is a verdict all the same; `exitCode` is its. */
  readonly error?: StopwatchError;
  /** Exit code of a command that has spoken for itself, in a container: handed on, and nothing more is said. */
  readonly passedThrough?: number;
}
