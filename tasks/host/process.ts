// SPDX-License-Identifier: MIT
/** The one port for processes. Only this file imports execa and zx. */

/** A program and its arguments; never a shell line. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the process; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SpawnOptions {
  /** Aborting ends the whole process group: SIGTERM, then SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  /** 'ignore' gives an empty standard input; 'pipe' lets the caller write; 'inherit' is the terminal's. */
  readonly stdin?: 'ignore' | 'pipe' | 'inherit';
  readonly stdout?: 'pipe' | 'inherit';
  readonly stderr?: 'pipe' | 'inherit';
  /** File descriptors 3, 4, …: a pipe to read from, or a descriptor of ours to hand on. */
  readonly extra?: readonly ('pipe' | number)[];
  /** Milliseconds between SIGTERM and SIGKILL; 2000 if absent. */
  readonly graceMs?: number;
}

/** How a process ended. */
export interface Exit {
  /** Undefined when it was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly durationMs: number;
}

/** A running process, leader of its own process group, killed with its parent where the system can do that. */
export interface Child {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream | null;
  readonly stdout: NodeJS.ReadableStream | null;
  readonly stderr: NodeJS.ReadableStream | null;
  /** Readable ends of the pipes asked for in `extra`, in that order (null for handed-on descriptors). */
  readonly extra: readonly (NodeJS.ReadableStream | null)[];
  /** Ends the whole group: SIGTERM, then SIGKILL after the grace time. Resolves when all of it is gone. */
  end(): Promise<void>;
  /** Sends a signal to the whole group; does nothing when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended and its pipes are drained; never rejects. */
  readonly exited: Promise<Exit>;
}

/** Starts processes. Rejects with StopwatchError 'command-not-found' or 'permission-denied' when the program cannot be started. */
export interface Processes {
  spawn(command: Command, options: SpawnOptions): Promise<Child>;
  /** Runs to the end. `onLine` gets each line of both streams, without its newline, in order of arrival. Never throws for a bad exit code. */
  run(
    command: Command,
    options: {
      readonly signal: AbortSignal;
      readonly input?: string;
      readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
      /** Keep standard output, at most 64 MiB. */
      readonly capture?: boolean;
      readonly extra?: readonly number[];
    },
  ): Promise<Exit & { readonly stdout: string }>;
}
