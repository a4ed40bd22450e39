// SPDX-License-Identifier: MIT
/** The one port for processes. Only this file imports execa and zx. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { StopwatchError } from '../errors.js';
import { isDirectory } from '../directory.js';
import { endGroup, signalGroup, waitForGroup } from './group.js';
import { withRun } from './run-to-end.js';
import { buffered } from './streams.js';
import { which } from '../which.js';

/** A program and its arguments, never a shell line. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** The whole environment of the process; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

interface SpawnOptions {
  /** Aborting ends the whole process group: SIGTERM, then SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  /** 'ignore': empty; 'pipe': the caller writes; 'inherit': that of this process. */
  readonly stdin?: 'ignore' | 'pipe' | 'inherit' | undefined;
  readonly stdout?: 'pipe' | 'inherit' | undefined;
  readonly stderr?: 'pipe' | 'inherit' | undefined;
  /** File descriptors 3, 4, …: a pipe to read from, or a descriptor of this process to pass on. */
  readonly extra?: readonly ('pipe' | number)[] | undefined;
  /** Milliseconds between SIGTERM and SIGKILL; 2000 if absent. */
  readonly graceMs?: number | undefined;
  /** Keep it in our own process group, which has the terminal. Only the process itself can be ended then. */
  readonly foreground?: boolean | undefined;
}

/** How a process ended. */
export interface Exit {
  /** Undefined when it was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly durationMs: number;
}

/** A running process, leader of its own process group unless it is in the foreground, killed with its parent. */
export interface Child {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream | null;
  readonly stdout: NodeJS.ReadableStream | null;
  readonly stderr: NodeJS.ReadableStream | null;
  /** Readable ends of the pipes in `extra`, in that order; null for descriptors that were passed on. */
  readonly extra: readonly (NodeJS.ReadableStream | null)[];
  /** Ends the whole group: SIGTERM, then SIGKILL after the grace time. Resolves when it is gone. */
  end(): Promise<void>;
  /** Sends a signal to the whole group; does nothing when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /**
   * Resolves when the process and the rest of its group have ended and its pipes are drained; never rejects.
   * A pipe without a reader must not get more than 16 KiB.
   */
  readonly exited: Promise<Exit>;
}

/** Starts processes. Rejects with StopwatchError 'command-not-found' or 'permission-denied' when the program cannot be started. */
export interface Processes {
  spawn(command: Command, options: SpawnOptions): Promise<Child>;
  /** Runs to the end. `onLine` gets each line of both streams, without its newline, in order of arrival. A bad exit code is not an error. */
  run(command: Command, options: CommandOptions): Promise<Exit & { readonly stdout: string }>;
}

export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly input?: string | undefined;
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** Return standard output, at most 64 MiB; ends a program that prints more and throws 'command-failed'. */
  readonly capture?: boolean | undefined;
  readonly extra?: readonly number[] | undefined;
}

interface ProcessesOptions {
  /** Ask the kernel to kill each child when this process dies, however it dies. True if absent; needs setpriv(1). */
  readonly dieWithParent?: boolean | undefined;
}

const GRACE_MS = 2000;
/** How long the rest of a group may run after its leader has exited. */
const STRAGGLERS_MS = 1000;

/** The real port. */
export function createProcesses({ dieWithParent = true }: ProcessesOptions = {}): Processes {
  return withRun(async (command, options) => spawnChild(command, options, dieWithParent));
}

const require = createRequire(import.meta.url);

/** The command as a user would type it into a shell. */
export function shellQuote(command: { readonly file: string; readonly args: readonly string[] }): string {
  return [command.file, ...command.args].map((word, index) => quoteWord(word, index === 0)).join(' ');
}

function quoteWord(word: string, isProgram: boolean): string {
  // Most words need no quotes. A shell would take a program with '=' in its name for an assignment.
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) && !(isProgram && word.includes('='))) return word;
  // Loaded only when needed: it is slow to load.
  const { quote }: typeof import('zx/core') = require('zx/core');
  return quote(word);
}

/**
 * PR_SET_PDEATHSIG has no effect if the parent has already died, so the shell first checks that its parent is still this
 * process. `unset PWD`, because the shell adds it.
 */
const IF_PARENT_LIVES = ['/bin/sh', '-c', 'unset PWD; [ "$PPID" = "$0" ] && exec "$@"', String(process.pid)];

let foundLauncher: string | null | undefined;

/** setpriv of util-linux, null if it is not installed; Busybox's setpriv has no --pdeathsig. */
function launcher(): string | null {
  if (foundLauncher === undefined) {
    const found = which('setpriv', process.env['PATH']);
    foundLauncher = found.found && basename(realpathSync(found.path)) === 'setpriv' ? found.path : null;
  }
  return foundLauncher;
}

/** Checks a command before setpriv starts it, because afterwards its failures would look like the command's own. */
function checkStartable(command: Command): void {
  if (command.cwd !== undefined && !isDirectory(command.cwd)) {
    throw new StopwatchError(
      'command-failed',
      `Cannot start ${command.file}: its working directory ${command.cwd} does not exist.`,
      { command: shellQuote(command) },
    );
  }
  const found = which(command.file, command.env['PATH'], command.cwd);
  if (found.found) return;
  throw found.why === 'missing'
    ? new StopwatchError(
        'command-not-found',
        command.file.includes('/')
          ? `The program ${command.file} does not exist.`
          : `The program ${command.file} is not in PATH (${command.env['PATH'] ?? 'which is not set'}).`,
        {
          command: shellQuote(command),
          hint: 'Run `npx stopwatch doctor`: it names the package that has it.',
        },
      )
    : new StopwatchError('permission-denied', `The file ${command.file} may not be executed.`, {
        command: shellQuote(command),
        hint: `Give it the execute permission (chmod +x), or take the directory out of PATH.`,
      });
}

async function spawnChild(command: Command, options: SpawnOptions, dieWithParent: boolean): Promise<Child> {
  if (options.signal.aborted)
    throw new StopwatchError('interrupted', `Interrupted before ${command.file} was started.`);
  checkStartable(command);
  const wrap = dieWithParent ? launcher() : null;
  const [file, args] =
    wrap === null
      ? [command.file, command.args]
      : [wrap, ['--pdeathsig', 'KILL', '--', ...IF_PARENT_LIVES, command.file, ...command.args]];
  const { foreground = false } = options;
  const started = performance.now();
  const subprocess = startedBy(command, () =>
    execa(file, args, {
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: command.env,
      extendEnv: false,
      // Its own group and session, so that ending them reaches everything it started.
      detached: !foreground,
      cleanup: false,
      buffer: false,
      reject: false,
      encoding: 'buffer',
      stripFinalNewline: false,
      stdio: [
        options.stdin ?? 'ignore',
        options.stdout ?? 'pipe',
        options.stderr ?? 'pipe',
        // execa's types know only the descriptors 0 to 2; it passes any on.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        ...((options.extra ?? []) as 'pipe'[]),
      ],
    }),
  );
  const leaderExit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    subprocess.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const pid = subprocess.pid;
  if (pid === undefined) throw notStarted(command, await subprocess);
  // Its reader may have gone; the exit code says more than EPIPE.
  subprocess.stdin?.on('error', () => {});

  const graceMs = options.graceMs ?? GRACE_MS;
  let ending: Promise<void> | undefined;
  const endOne = async () => {
    subprocess.kill('SIGTERM');
    const timer = setTimeout(() => subprocess.kill('SIGKILL'), graceMs);
    await leaderExit;
    clearTimeout(timer);
  };
  const end = () => (ending ??= foreground ? endOne() : endGroup(pid, graceMs).then(() => undefined));
  const abort = () => void end();
  options.signal.addEventListener('abort', abort, { once: true });
  if (options.signal.aborted) abort();

  const pipes = subprocess.stdio.slice(1).map((stream, index) => {
    const asked = index < 2 ? 'pipe' : options.extra?.[index - 2];
    return asked === 'pipe' && stream instanceof Readable ? buffered(stream) : null;
  });
  const finish = async (): Promise<Exit> => {
    const { code, signal } = await leaderExit;
    const durationMs = performance.now() - started;
    if (!foreground && ending === undefined && !(await waitForGroup(pid, STRAGGLERS_MS, false))) await end();
    await ending;
    await Promise.all(pipes.flatMap((pipe) => pipe?.drained() ?? []));
    options.signal.removeEventListener('abort', abort);
    return { exitCode: code ?? undefined, signal: signal ?? undefined, durationMs };
  };
  const exited = finish();
  return {
    pid,
    stdin: subprocess.stdin,
    stdout: pipes[0]?.stream ?? null,
    stderr: pipes[1]?.stream ?? null,
    extra: pipes.slice(2).map((pipe) => pipe?.stream ?? null),
    end,
    kill: (signal) => (foreground ? void subprocess.kill(signal) : signalGroup(pid, signal)),
    exited,
  };
}

/** execa trips where Node has no descriptor left for its pipes. */
function startedBy<T>(command: Command, start: () => T): T {
  try {
    return start();
  } catch (cause) {
    throw new StopwatchError('command-failed', `Cannot start ${command.file}: too many files are open.`, {
      command: shellQuote(command),
      hint: 'Raise the limit of this shell: ulimit -n 4096',
      cause,
    });
  }
}

/** The program exists, but the system could not start it: too many arguments, no memory, a missing interpreter. */
function notStarted(
  command: Command,
  result: { readonly code?: string | undefined; readonly shortMessage?: string | undefined },
) {
  const why = result.code ?? result.shortMessage ?? 'unknown error';
  return new StopwatchError('command-failed', `Cannot start ${command.file}: ${why}.`, {
    command: shellQuote(command),
    hint:
      result.code === 'E2BIG'
        ? 'Its arguments and environment are longer than the system allows.'
        : undefined,
  });
}
