// SPDX-License-Identifier: MIT
/** The services that a command gets from the command line, and the result that it returns. */
import type { ExitCode, StopwatchError } from '../../lib/errors.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import type { Processes } from '../../lib/process/process.js';
import type { ProjectDevice } from '../../vm/device.js';
import type { Loaded } from './load.js';
import type { Emit } from '../engine/events.js';

export interface Services {
  /** Configuration, where each value came from, and the directories. */
  readonly loaded: Loaded;
  /** Loads the devices of the project's list, in its order; once. Throws 'bad-config'. */
  readonly devices: () => Promise<readonly ProjectDevice[]>;
  /** The user's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The one signal: aborted with StopwatchError 'interrupted' on SIGINT, SIGTERM, SIGHUP. */
  readonly signal: AbortSignal;
  /** --force: run this task although it may be fresh; true: what the command is for. */
  readonly force?: string | true | undefined;
  /** To the reporter. */
  readonly emit: Emit;
  /** Shows what the reporter still has to show and gives the terminal back, before a console takes it over. */
  readonly release: () => Promise<void>;
  /** --json: standard output is for JSON alone. */
  readonly json: boolean;
  /** Text on standard output may be coloured. */
  readonly colour: boolean;
  /** Standard input and output are a terminal. */
  readonly interactive: boolean;
  /** Asks yes or no on the terminal; returns `otherwise` without a terminal. An empty answer is no. */
  readonly confirm: (question: string, otherwise: boolean) => Promise<boolean>;
  /** Loads the process port; everything it starts is killed on the second Ctrl-C. */
  readonly processes: () => Promise<Processes>;
  /** Before anything is built: finds, or installs, what this host lacks. Throws 'host-package-missing'. */
  readonly ensureHost?: (() => Promise<void>) | undefined;
  /** In a process that lives for several runs. */
  readonly treeWatch?: TreeWatch | undefined;
}

/** How a command ended when it did not throw. */
export interface Result {
  readonly exitCode: ExitCode;
  /** The answer itself, for standard output: as text, and as data for --json. */
  readonly text?: string | undefined;
  readonly data?: unknown;
  /** Lines after the table of stages: verdicts and the accelerator that ran. */
  readonly verdict?: readonly string[] | undefined;
  /** The next command to type. */
  readonly next?: string | undefined;
  /** The run as lines of characters, for a place that shows no page. */
  readonly sketch?: (() => Promise<readonly string[]>) | undefined;
  /** The run's page, once `afterwards` is done. */
  readonly page?: string | undefined;
  /** What is still to be done when all that is above has been shown. */
  readonly afterwards?: (() => Promise<void>) | undefined;
  /** What went wrong when there is a verdict all the same; `exitCode` is that of this error. */
  readonly error?: StopwatchError | undefined;
  /** Exit status of the program in the guest; it becomes the exit code if that would be 0. */
  readonly guestStatus?: number | undefined;
  /** Exit code of a command that ran in a container or child process and printed everything itself: only passed on. */
  readonly passedThrough?: number | undefined;
}
