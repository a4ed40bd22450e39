// SPDX-License-Identifier: MIT
/** The context of a running task: processes for its tools, its log, its number of jobs. */
import {
  type CompilerError,
  CompilerErrors,
  compilerErrorText,
  sourcePath,
} from '../../lib/compiler-errors.js';
import { type Command, type Processes, shellQuote } from '../../lib/process/process.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Emit } from './events.js';
import { commandFailure } from '../../lib/failure.js';
import { Tail } from '../../lib/tail.js';
import type { ToolOptions, Task, TaskContext } from './task.js';
import type { TaskLog } from './task-log.js';

/** Lines of output that an error carries. */
const LAST_LINES = 20;
/** Lines by which tools report errors. With concurrent jobs, the cause can be far above the last line. */
const COMPLAINT =
  /\b(?:fatal )?error:|\bNo rule to make target|: No such file or directory$|\bundefined reference to\b|^FAILED:/i;
/** Lines to keep from the first complaint on. */
const FIRST_LINES = 6;

interface ContextOptions {
  readonly task: Task;
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  readonly log: TaskLog;
  readonly logFile: string;
  readonly workdir: string;
  readonly jobs: number;
}

export function createContext(options: ContextOptions): TaskContext {
  const { processes, signal, emit, log, logFile } = options;
  const task = options.task.name;
  const jobs = options.task.jobs === 'build' ? options.jobs : 1;
  const line = (text: string) => {
    log.line(text);
    emit({ type: 'task-line', task, line: text });
  };
  const exec = async (file: string, args: readonly string[], run: ToolOptions = {}): Promise<string> => {
    if (signal.aborted) throw interrupted(task);
    // Make and the makes that it starts share these jobs.
    const env = {
      ...options.env,
      ...(options.task.jobs === 'build' && { MAKEFLAGS: `-j${jobs}` }),
      ...run.env,
    };
    const command = { file, args, env, cwd: run.cwd };
    log.line(header(command, run));
    const last = new Tail(LAST_LINES);
    const first: string[] = [];
    const compiler = new CompilerErrors();
    const exit = await processes.run(command, {
      signal,
      input: run.input,
      capture: run.capture,
      onLine: (text) => {
        if (first.length > 0 ? first.length < FIRST_LINES : COMPLAINT.test(text)) first.push(text);
        last.push(text);
        compiler.line(text);
        line(text);
        run.onLine?.(text);
      },
    });
    if (signal.aborted) throw interrupted(task);
    if (exit.exitCode === 0) return exit.stdout;
    log.line(`# ${exit.signal === undefined ? `exit code ${exit.exitCode}` : `ended by ${exit.signal}`}`);
    const where = { task, directory: options.workdir, log: logFile };
    const failure = await commandFailure(command, exit, withCause(first, last.lines), where);
    throw failure.code === 'command-failed'
      ? (compileFailure(compiler.found, command, logFile) ?? failure)
      : failure;
  };
  return {
    signal,
    logFile,
    exec,
    log: line,
    progress: (done, total, unit) => emit({ type: 'task-progress', task, done, total, unit }),
    notice(text) {
      log.line(text);
      emit({ type: 'notice', task, text });
    },
    jobs,
    processes,
    env: options.env,
  };
}

/** The compiler's errors, without what make or ninja print around them; the log has everything. */
function compileFailure(
  errors: readonly CompilerError[],
  { args, cwd = '.' }: Omit<Command, 'env'>,
  log: string,
): StopwatchError | undefined {
  const [first, ...others] = errors;
  if (first === undefined) return undefined;
  const changed = args.flatMap((arg, index) => (args[index - 1] === '-C' ? arg : []));
  const where = { root: process.cwd(), directories: [...changed, cwd] };
  const text = (error: CompilerError): string => compilerErrorText(error, sourcePath(error.file, where));
  return new StopwatchError('command-failed', text(first), {
    lastLines: [first.source, ...others.map((error) => [text(error)].concat(error.source))].flat(),
    log,
  });
}

/** The last lines, after the first complaint if that is further up. */
function withCause(first: readonly string[], last: readonly string[]): readonly string[] {
  const above = first.filter((line) => !last.includes(line));
  return above.length === 0 ? last : [...above, '…', ...last];
}

/** The command, for repeating it by hand. */
function header(command: Omit<Command, 'env'>, { env = {} }: ToolOptions): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words =
    settings.length > 0 ? { file: 'env', args: [...settings, command.file, ...command.args] } : command;
  return `$ ${command.cwd === undefined ? '' : `cd ${shellQuote({ file: command.cwd, args: [] })} && `}${shellQuote(words)}`;
}

export function interrupted(task: string, cause?: unknown): StopwatchError {
  if (cause instanceof StopwatchError && cause.code === 'interrupted') return cause;
  return new StopwatchError('interrupted', `${task} was interrupted.`, { cause });
}
